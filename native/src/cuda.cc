#include "cuda.h"

#include <dlfcn.h>

#include <string>

#include "failure.h"
#include "libraries.h"

// two steps, so that a function that the header renames by a macro is looked up by its real name
#define NAME_OF(function) LITERAL(function)
#define LITERAL(text) #text

void Cuda::resolve(void* library, const char* file) {
#define X(function) \
  this->function = reinterpret_cast<decltype(this->function)>(symbol(library, NAME_OF(function), file));
  CUDA_FUNCTIONS(X)
#undef X
}

const Cuda& cuda() { return libraries().cuda; }

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  // a failed call is remembered by CUDA and would be reported a second time by somebody else's check
  cuda().cudaGetLastError();
  const Code code = status == cudaErrorMemoryAllocation ? Code::kMemory : Code::kCuda;
  throw Failure(code, std::string(call) + " failed: " + cuda().cudaGetErrorString(status) + " (" +
                          cuda().cudaGetErrorName(status) + ")");
}

std::string memoryLeft() {
  size_t free = 0;
  size_t total = 0;
  CUDA_CALL(cudaMemGetInfo, &free, &total);
  return std::to_string(free) + " of " + std::to_string(total) + " are free";
}

void RelaxedCapture::swap() noexcept {
  // fails only for an unknown mode
  cuda().cudaThreadExchangeStreamCaptureMode(&mode_);
}
