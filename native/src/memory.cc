#include "memory.h"

#include <string>

#include "cuda.h"
#include "failure.h"

// Freeing waits for the GPU and reports failures of earlier work, which the next call reports as well: destructors have
// nothing to add.

DeviceMemory::DeviceMemory(size_t bytes) : Memory(bytes) {
  const RelaxedCapture relaxed;
  const cudaError_t status = cuda().cudaMalloc(&address_, bytes);
  if (status != cudaErrorMemoryAllocation) {
    check(status, "cudaMalloc");
    return;
  }
  cuda().cudaGetLastError();
  throw Failure(Code::kMemory,
                "the GPU has no room for " + std::to_string(bytes) + " bytes: " + memoryLeft());
}

DeviceMemory::~DeviceMemory() {
  const RelaxedCapture relaxed;
  cuda().cudaFree(address_);
}

PinnedMemory::PinnedMemory(size_t bytes) : Memory(bytes) {
  const RelaxedCapture relaxed;
  const cudaError_t status = cuda().cudaMallocHost(&address_, bytes);
  if (status != cudaErrorMemoryAllocation) {
    check(status, "cudaMallocHost");
    return;
  }
  cuda().cudaGetLastError();
  throw Failure(Code::kMemory, "the host has no room for " + std::to_string(bytes) + " page-locked bytes");
}

PinnedMemory::~PinnedMemory() {
  const RelaxedCapture relaxed;
  cuda().cudaFreeHost(address_);
}
