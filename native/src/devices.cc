#include "devices.h"

#include <algorithm>
#include <limits>

#include "arguments.h"
#include "cuda.h"
#include "environment.h"
#include "failure.h"
#include "libraries.h"

namespace {

/** Turing: the oldest GPUs that TensorRT 11 has kernels for. */
constexpr int kOldestSm = 75;

/** The CUDA version that the driver supports, as 13000; 0 if there is no driver. */
int driverVersion() {
  int version = 0;
  CUDA_CALL(cudaDriverGetVersion, &version);
  return version;
}

[[noreturn]] void failWithoutDriver() {
  const int driver = driverVersion();
  const std::string runtime = libraries().cudaRuntime;
  if (driver == 0) {
    throw Failure(Code::kDriver, "no NVIDIA driver was found: install one that supports CUDA " +
                                     runtime.substr(0, runtime.find('.')) +
                                     ", or start the container with its GPUs (docker run --gpus all, with "
                                     "nvidia-container-toolkit on the host)");
  }
  throw Failure(Code::kDriver, "the NVIDIA driver supports CUDA " + cudaVersion(driver) +
                                   " but CUDA's runtime is " + runtime + ": install a newer driver");
}

int countDevices() {
  int count = 0;
  const cudaError_t status = cuda().cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver) {
    cuda().cudaGetLastError();
    failWithoutDriver();
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    cuda().cudaGetLastError();
    throw Failure(
        Code::kDevice,
        "the NVIDIA driver shows no GPU: check nvidia-smi, CUDA_VISIBLE_DEVICES and, in a container, "
        "that it was started with its GPUs (docker run --gpus all)");
  }
  if (status != cudaSuccess) {
    cuda().cudaGetLastError();
    throw Failure(Code::kDriver, std::string("the NVIDIA driver does not work (") +
                                     cuda().cudaGetErrorString(status) + ", " +
                                     cuda().cudaGetErrorName(status) +
                                     "): check nvidia-smi, and restart or install the driver again");
  }
  return count;
}

Device describe(int index) {
  cudaDeviceProp properties{};
  CUDA_CALL(cudaGetDeviceProperties, &properties, index);
  return {properties.name, properties.major * 10 + properties.minor, properties.totalGlobalMem};
}

std::string tooOld(const Device& device) {
  return device.name + " has compute capability " + std::to_string(device.sm / 10) + '.' +
         std::to_string(device.sm % 10) + " but TensorRT needs 7.5 or newer (Turing, 2018)";
}

}  // namespace

std::vector<Device> findDevices() {
  std::vector<Device> found;
  const int count = countDevices();
  for (int i = 0; i < count; i++) found.push_back(describe(i));
  const auto usable = [](const Device& device) { return device.sm >= kOldestSm; };
  if (std::none_of(found.begin(), found.end(), usable)) {
    throw Failure(Code::kDevice, "no GPU can be used: " + tooOld(found.front()));
  }
  return found;
}

void useDevice(int index) {
  const int count = countDevices();
  if (index < 0 || index >= count) {
    throw Failure(Code::kDevice, "there is no GPU " + std::to_string(index) + ": the driver shows " +
                                     std::to_string(count) + ", counted from 0");
  }
  const Device device = describe(index);
  if (device.sm < kOldestSm) {
    throw Failure(Code::kDevice, "GPU " + std::to_string(index) + " cannot be used: " + tooOld(device));
  }
  CUDA_CALL(cudaSetDevice, index);
}

Napi::Value devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<Device> found = findDevices();
  const std::string driver = cudaVersion(driverVersion());
  Napi::Array result = Napi::Array::New(env, found.size());
  for (uint32_t i = 0; i < found.size(); i++) {
    Napi::Object device = Napi::Object::New(env);
    device.Set("index", i);
    device.Set("name", found[i].name);
    device.Set("sm", found[i].sm);
    device.Set("memoryBytes", static_cast<double>(found[i].memoryBytes));
    device.Set("driver", driver);
    result.Set(i, device);
  }
  return result;
}

Napi::Value setDevice(const Napi::CallbackInfo& info) {
  Environment::of(info.Env())
      .setDevice(static_cast<int>(count(info[0], "index", std::numeric_limits<int>::max())));
  return info.Env().Undefined();
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).device();
  size_t free = 0;
  size_t total = 0;
  CUDA_CALL(cudaMemGetInfo, &free, &total);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("free", static_cast<double>(free));
  result.Set("total", static_cast<double>(total));
  return result;
}
