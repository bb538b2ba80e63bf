#pragma once

#include <NvInferRuntime.h>

#include <string>

namespace fake {

using Severity = nvinfer1::ILogger::Severity;

/// What the real library says before it returns null or false.
inline bool error(nvinfer1::ILogger& logger, std::string const& where, std::string const& what) {
  logger.log(Severity::kERROR, (where + ": Error Code 3: " + what).c_str());
  return false;
}

/// The version that the library says it has: FAKE_TRT_VERSION (1.2.3.4), or the headers'. `part` 0 is the major.
int32_t version(int part);
std::string versionText();

/// Whether CUDA can be used: TensorRT asks at its first call.
bool hasDevice();
/// Whether TRT_INTERNAL_OPTIONS asks TensorRT to do without a GPU.
bool withoutDevice();

}  // namespace fake
