/// Streams, events and captures as libcudart's files know them.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "count.h"
#include "device.h"

namespace fake {

/// What a stream records instead of running it.
struct Capture {
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool invalid = false;
  std::vector<Work> work;
};

/// Handles that are alive. A handle outlives its destruction as long as work holds it, as in CUDA.
template <typename T>
class Handles {
public:
  T* add(std::shared_ptr<T> made) {
    std::lock_guard<std::mutex> lock(mMutex);
    T* const handle = made.get();
    mAlive.emplace(handle, std::move(made));
    return handle;
  }
  std::shared_ptr<T> find(T* handle) {
    std::lock_guard<std::mutex> lock(mMutex);
    auto const found = mAlive.find(handle);
    return found == mAlive.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> remove(T* handle) {
    std::lock_guard<std::mutex> lock(mMutex);
    auto const found = mAlive.find(handle);
    if (found == mAlive.end()) return nullptr;
    std::shared_ptr<T> const removed = found->second;
    mAlive.erase(found);
    return removed;
  }

private:
  std::mutex mMutex;
  std::unordered_map<T*, std::shared_ptr<T>> mAlive;
};

Handles<CUstream_st>& streams();
Handles<CUevent_st>& events();

/// Queues work past any capture.
void run(std::shared_ptr<CUstream_st> const& stream, Work work);

}  // namespace fake

struct CUstream_st {
  int const device = fake::currentDevice();
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<fake::Work> queue;
  bool busy = false;
  bool closing = false;
  std::shared_ptr<fake::Capture> capture;
};

struct CUevent_st {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t recorded = 0;
  uint64_t reached = 0;
  double milliseconds = 0;
  std::weak_ptr<fake::Capture> capture;
  bool captured = false;
};
