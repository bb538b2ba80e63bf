/** CUDA's runtime, called through a table that load() fills: the addon is not linked to libcudart. */
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#define CUDA_FUNCTIONS(X)      \
  X(cudaRuntimeGetVersion)     \
  X(cudaDriverGetVersion)      \
  X(cudaGetDeviceCount)        \
  X(cudaGetDeviceProperties)   \
  X(cudaSetDevice)             \
  X(cudaMemGetInfo)            \
  X(cudaGetLastError)          \
  X(cudaGetErrorName)          \
  X(cudaGetErrorString)        \
  X(cudaMalloc)                \
  X(cudaFree)                  \
  X(cudaMallocHost)            \
  X(cudaFreeHost)              \
  X(cudaMemcpyAsync)           \
  X(cudaMemsetAsync)           \
  X(cudaStreamCreateWithFlags) \
  X(cudaStreamDestroy)         \
  X(cudaStreamSynchronize)     \
  X(cudaStreamWaitEvent)       \
  X(cudaEventCreateWithFlags)  \
  X(cudaEventDestroy)          \
  X(cudaEventRecord)           \
  X(cudaEventQuery)            \
  X(cudaEventSynchronize)      \
  X(cudaEventElapsedTime)      \
  X(cudaStreamBeginCapture)    \
  X(cudaStreamEndCapture)      \
  X(cudaGraphInstantiate)      \
  X(cudaGraphDestroy)          \
  X(cudaGraphLaunch)           \
  X(cudaGraphExecDestroy)      \
  X(cudaThreadExchangeStreamCaptureMode)

struct Cuda {
#define X(function) decltype(&::function) function = nullptr;
  CUDA_FUNCTIONS(X)
#undef X

  /** Looks all functions up in an open libcudart; throws a Failure `library` that names the first missing one. */
  void resolve(void* library, const char* file);
};

/** The table. Throws a Failure `misuse` before load(). */
const Cuda& cuda();

/** Throws a Failure with CUDA's own words unless `status` is success; `call` says what was tried. */
void check(cudaError_t status, const char* call);

/** Bytes of this thread's GPU, as "N of M are free", for messages. */
std::string memoryLeft();

#define CUDA_CALL(function, ...) check(cuda().function(__VA_ARGS__), #function)

/**
 * While it lives, this thread may allocate and free though one of its streams is being captured (the collector may run
 * at any time): such calls would otherwise spoil the capture.
 */
class RelaxedCapture {
 public:
  RelaxedCapture() noexcept { swap(); }
  ~RelaxedCapture() { swap(); }
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;

 private:
  void swap() noexcept;
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};
