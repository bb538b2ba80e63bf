/// Device and page-locked memory: both are the host's, kept in a register with their bounds.
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "count.h"
#include "device.h"

namespace fake {
namespace {

struct Register {
  std::mutex mutex;
  std::map<uintptr_t, size_t> blocks;
  size_t used = 0;
};
// Never destroyed: a stream's thread may still be at work while the process exits.
Register& deviceRegister = *new Register;
Register& hostRegister = *new Register;

// What nobody has written should look like nothing plausible.
constexpr int kGarbage = 0xa5;
constexpr size_t kMostGarbage = 16 << 20;

size_t deviceBytes() { return static_cast<size_t>(setting("FAKE_CUDA_MEMORY", int64_t{8} << 30)); }
size_t roundUp(size_t bytes) { return (bytes + 255) / 256 * 256; }

bool holds(Register& blocks, void const* at, size_t bytes) {
  std::lock_guard<std::mutex> lock(blocks.mutex);
  uintptr_t const address = reinterpret_cast<uintptr_t>(at);
  auto block = blocks.blocks.upper_bound(address);
  if (block == blocks.blocks.begin()) return false;
  --block;
  return address - block->first <= block->second && bytes <= block->second - (address - block->first);
}

cudaError_t allocate(Register& blocks, Kind kind, size_t limit, void** pointer, size_t bytes) {
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (cudaError_t error = forbiddenByCapture()) return fail(error);
  std::lock_guard<std::mutex> lock(blocks.mutex);
  // the limit may have been lowered below what is in use
  size_t const free = limit > blocks.used ? limit - blocks.used : 0;
  if (roundUp(bytes) < bytes || roundUp(bytes) > free) return fail(cudaErrorMemoryAllocation);
  // Exactly the bytes asked for, so that a sanitizer sees the first one past the end.
  if (posix_memalign(pointer, 256, bytes) != 0) return fail(cudaErrorMemoryAllocation);
  std::memset(*pointer, kGarbage, bytes < kMostGarbage ? bytes : kMostGarbage);
  blocks.blocks[reinterpret_cast<uintptr_t>(*pointer)] = bytes;
  blocks.used += roundUp(bytes);
  count(kind, 1);
  return cudaSuccess;
}

cudaError_t release(Register& blocks, Kind kind, void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  if (cudaError_t error = forbiddenByCapture()) return fail(error);
  drain();
  std::lock_guard<std::mutex> lock(blocks.mutex);
  auto const block = blocks.blocks.find(reinterpret_cast<uintptr_t>(pointer));
  if (block == blocks.blocks.end()) return fail(cudaErrorInvalidValue);
  blocks.used -= roundUp(block->second);
  blocks.blocks.erase(block);
  std::free(pointer);
  count(kind, -1);
  return cudaSuccess;
}

bool fits(void const* at, size_t bytes, bool device) {
  return device ? inDeviceMemory(at, bytes) : !inDeviceMemory(at, 0);
}

}  // namespace

bool inDeviceMemory(void const* at, size_t bytes) { return holds(deviceRegister, at, bytes); }
bool inHostMemory(void const* at, size_t bytes) { return holds(hostRegister, at, bytes); }

}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  if (cudaError_t error = enter(__func__)) return error;
  return allocate(deviceRegister, Kind::kDeviceMemory, deviceBytes(), pointer, bytes);
}

cudaError_t cudaFree(void* pointer) {
  if (cudaError_t error = enter(__func__)) return error;
  return release(deviceRegister, Kind::kDeviceMemory, pointer);
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  if (cudaError_t error = enter(__func__)) return error;
  size_t const limit = static_cast<size_t>(setting("FAKE_CUDA_PINNED", int64_t{4} << 30));
  return allocate(hostRegister, Kind::kHostMemory, limit, pointer, bytes);
}

cudaError_t cudaFreeHost(void* pointer) {
  if (cudaError_t error = enter(__func__)) return error;
  return release(hostRegister, Kind::kHostMemory, pointer);
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (cudaError_t error = enter(__func__)) return error;
  std::lock_guard<std::mutex> lock(deviceRegister.mutex);
  *total = deviceBytes();
  *free = *total > deviceRegister.used ? *total - deviceRegister.used : 0;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (cudaError_t error = enter(__func__)) return error;
  bool const toDevice = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool const fromDevice = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault || kind == cudaMemcpyHostToHost) undefined("a copy must say from where to where");
  if (!fits(target, bytes, toDevice) || !fits(source, bytes, fromDevice)) return fail(cudaErrorInvalidValue);
  bool const pinned = (toDevice || inHostMemory(target, bytes)) && (fromDevice || inHostMemory(source, bytes));
  if (!pinned) undefined("an asynchronous copy from or to memory that is not page-locked is not asynchronous");
  return launch(stream, [=] {
    auto const lives = [bytes](void const* at, bool device) {
      return device ? inDeviceMemory(at, bytes) : inHostMemory(at, bytes);
    };
    if (!lives(target, toDevice) || !lives(source, fromDevice)) return cudaErrorIllegalAddress;
    std::memmove(target, source, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t stream) {
  if (cudaError_t error = enter(__func__)) return error;
  if (!inDeviceMemory(target, bytes)) return fail(cudaErrorInvalidValue);
  return launch(stream, [=] {
    if (!inDeviceMemory(target, bytes)) return cudaErrorIllegalAddress;
    std::memset(target, value, bytes);
    return cudaSuccess;
  });
}

}  // extern "C"
