#include "log.h"

#include <cstdlib>
#include <cstring>

#include "NvInferVersion.h"

namespace fake {

int32_t version(int part) {
  static int32_t const headers[] = {NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_PATCH, NV_TENSORRT_BUILD};
  char const* text = std::getenv("FAKE_TRT_VERSION");
  if (text == nullptr) return headers[part];
  for (; part > 0 && text; part--) text = std::strchr(text, '.') ? std::strchr(text, '.') + 1 : nullptr;
  return text ? std::atoi(text) : 0;
}

std::string versionText() {
  std::string text = std::to_string(version(0));
  for (int part = 1; part < 4; part++) text += "." + std::to_string(version(part));
  return text;
}

bool hasDevice() {
  int devices = 0;
  return cudaGetDeviceCount(&devices) == cudaSuccess;
}

bool withoutDevice() {
  char const* options = std::getenv("TRT_INTERNAL_OPTIONS");
  return options && std::strstr(options, "--cpu_only=1");
}

}  // namespace fake

extern "C" int32_t getInferLibMajorVersion() noexcept { return fake::version(0); }
extern "C" int32_t getInferLibMinorVersion() noexcept { return fake::version(1); }
extern "C" int32_t getInferLibPatchVersion() noexcept { return fake::version(2); }
extern "C" int32_t getInferLibBuildVersion() noexcept { return fake::version(3); }
