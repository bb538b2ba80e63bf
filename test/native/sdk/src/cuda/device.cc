#include "device.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace fake {
namespace {

std::atomic<cudaError_t> sticky{cudaSuccess};
thread_local cudaError_t lastError = cudaSuccess;
thread_local int device = 0;

int deviceCount() { return static_cast<int>(setting("FAKE_CUDA_DEVICES", 1)); }
int driverVersion() { return static_cast<int>(setting("FAKE_CUDA_DRIVER", CUDART_VERSION)); }

cudaError_t availability() {
  if (driverVersion() / 1000 < CUDART_VERSION / 1000) return cudaErrorInsufficientDriver;
  return deviceCount() > 0 ? cudaSuccess : cudaErrorNoDevice;
}

}  // namespace

int64_t setting(char const* name, int64_t otherwise) {
  char const* text = std::getenv(name);
  return text ? std::strtoll(text, nullptr, 10) : otherwise;
}

cudaError_t fail(cudaError_t error) {
  if (error != cudaSuccess) lastError = error;
  return error;
}

void stick(cudaError_t error) {
  cudaError_t none = cudaSuccess;
  sticky.compare_exchange_strong(none, error);
}

cudaError_t enter(char const* function) {
  if (cudaError_t error = availability()) return fail(error);
  if (cudaError_t error = sticky.load()) return fail(error);
  if (char const* wanted = std::getenv("FAKE_CUDA_FAIL")) {
    size_t const length = std::strlen(function);
    if (std::strncmp(wanted, function, length) == 0 && wanted[length] == '=')
      return fail(static_cast<cudaError_t>(std::atoi(wanted + length + 1)));
  }
  return cudaSuccess;
}

int currentDevice() { return device; }

int computeCapability(int index) {
  char const* list = std::getenv("FAKE_CUDA_SM");
  int sm = list ? std::atoi(list) : 89;
  for (; list && index > 0 && (list = std::strchr(list, ',')); index--) sm = std::atoi(++list);
  return sm;
}

}  // namespace fake

using namespace fake;

extern "C" {

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInitializationError: return "cudaErrorInitializationError";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalState: return "cudaErrorIllegalState";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorNotSupported: return "cudaErrorNotSupported";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureUnmatched: return "cudaErrorStreamCaptureUnmatched";
    case cudaErrorStreamCaptureIsolation: return "cudaErrorStreamCaptureIsolation";
    case cudaErrorStreamCaptureImplicit: return "cudaErrorStreamCaptureImplicit";
    case cudaErrorCapturedEvent: return "cudaErrorCapturedEvent";
    case cudaErrorStreamCaptureWrongThread: return "cudaErrorStreamCaptureWrongThread";
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    default: return cudaGetErrorName(error);
  }
}

cudaError_t cudaGetLastError(void) {
  cudaError_t const error = lastError;
  lastError = cudaSuccess;
  return error;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = driverVersion();
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (cudaError_t error = enter(__func__)) return error;
  *count = deviceCount();
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  if (cudaError_t error = enter(__func__)) return error;
  if (index < 0 || index >= deviceCount()) return fail(cudaErrorInvalidDevice);
  device = index;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* prop, int index) {
  if (cudaError_t error = enter(__func__)) return error;
  if (index < 0 || index >= deviceCount()) return fail(cudaErrorInvalidDevice);
  *prop = cudaDeviceProp{};
  std::snprintf(prop->name, sizeof prop->name, "Fake GPU %d", index);
  prop->totalGlobalMem = static_cast<size_t>(setting("FAKE_CUDA_MEMORY", int64_t{8} << 30));
  prop->major = computeCapability(index) / 10;
  prop->minor = computeCapability(index) % 10;
  return cudaSuccess;
}

}  // extern "C"
