/// What libcudart's files share, and what libnvinfer's kernels ask of it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>

namespace fake {

/// An environment variable as a number.
int64_t setting(char const* name, int64_t otherwise);

/// A piece of work on a stream. An error of it is sticky, as CUDA's are: every later call gives it.
using Work = std::function<cudaError_t()>;

/// Begins a call: no driver, an earlier sticky error, or one that FAKE_CUDA_FAIL (name=code) asks for.
cudaError_t enter(char const* function);
/// Keeps the error for cudaGetLastError and returns it.
cudaError_t fail(cudaError_t error);
void stick(cudaError_t error);

int currentDevice();
/// Compute capability, as 89: the device's entry of FAKE_CUDA_SM (a list).
int computeCapability(int device);

/// Whether all of it lies in one living allocation.
bool inDeviceMemory(void const* at, size_t bytes);
bool inHostMemory(void const* at, size_t bytes);

/// Queues work, or records it if the stream is capturing.
cudaError_t launch(cudaStream_t stream, Work work);
int deviceOf(cudaStream_t stream);
bool isCapturing(cudaStream_t stream);
/// An error if a capture forbids this thread to allocate, free or wait; the capture is then invalid.
cudaError_t forbiddenByCapture();
/// Waits for the work of every stream.
void drain();

}  // namespace fake
