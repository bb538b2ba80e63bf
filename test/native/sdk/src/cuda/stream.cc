/// A stream is a queue and a thread that works it off.
#include "stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace fake {
namespace {

struct Captures {
  std::mutex mutex;
  std::vector<std::weak_ptr<Capture>> active;
};
struct Pending {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t works = 0;
};
// Never destroyed: streams' threads may run while the process exits.
Captures& captures = *new Captures;
Pending& pending = *new Pending;

thread_local cudaStreamCaptureMode threadMode = cudaStreamCaptureModeGlobal;

void finishOne() {
  std::lock_guard<std::mutex> lock(pending.mutex);
  pending.works--;
  pending.changed.notify_all();
}

void workOff(std::shared_ptr<CUstream_st> stream) {
  // Late work shows who did not wait for it.
  auto const delay = std::chrono::microseconds(setting("FAKE_CUDA_DELAY_US", 0));
  std::unique_lock<std::mutex> lock(stream->mutex);
  for (;;) {
    stream->changed.wait(lock, [&] { return !stream->queue.empty() || stream->closing; });
    if (stream->queue.empty()) return;
    Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    stream->busy = true;
    lock.unlock();
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    if (cudaError_t error = work()) stick(error);
    work = nullptr;
    finishOne();
    lock.lock();
    stream->busy = false;
    stream->changed.notify_all();
  }
}

std::shared_ptr<CUstream_st> find(cudaStream_t stream) {
  if (stream == nullptr) undefined("the default stream was used");
  return streams().find(stream);
}

}  // namespace

Handles<CUstream_st>& streams() {
  static auto& handles = *new Handles<CUstream_st>;
  return handles;
}

void run(std::shared_ptr<CUstream_st> const& stream, Work work) {
  {
    std::lock_guard<std::mutex> lock(pending.mutex);
    pending.works++;
  }
  std::lock_guard<std::mutex> lock(stream->mutex);
  stream->queue.push_back(std::move(work));
  stream->changed.notify_all();
}

cudaError_t launch(cudaStream_t handle, Work work) {
  auto const stream = find(handle);
  if (!stream) return fail(cudaErrorInvalidResourceHandle);
  if (!stream->capture) {
    run(stream, std::move(work));
    return cudaSuccess;
  }
  if (stream->capture->invalid) return fail(cudaErrorStreamCaptureInvalidated);
  stream->capture->work.push_back(std::move(work));
  return cudaSuccess;
}

int deviceOf(cudaStream_t handle) {
  auto const stream = find(handle);
  if (!stream) undefined("a destroyed stream was used");
  return stream->device;
}

bool isCapturing(cudaStream_t handle) {
  auto const stream = find(handle);
  return stream && stream->capture;
}

cudaError_t forbiddenByCapture() {
  if (threadMode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  std::lock_guard<std::mutex> lock(captures.mutex);
  for (auto const& weak : captures.active) {
    auto const capture = weak.lock();
    if (!capture || capture->mode == cudaStreamCaptureModeRelaxed) continue;
    bool const own = capture->thread == std::this_thread::get_id();
    bool const global =
        capture->mode == cudaStreamCaptureModeGlobal && threadMode == cudaStreamCaptureModeGlobal;
    if (!own && !global) continue;
    capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
  }
  return cudaSuccess;
}

void drain() {
  std::unique_lock<std::mutex> lock(pending.mutex);
  pending.changed.wait(lock, [] { return pending.works == 0; });
}

}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned int flags) {
  if (cudaError_t error = enter(__func__)) return error;
  if (flags != cudaStreamNonBlocking) undefined("a stream that waits for the default stream was made");
  auto const stream = std::make_shared<CUstream_st>();
  std::thread(workOff, stream).detach();
  *handle = streams().add(stream);
  count(Kind::kStream, 1);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const stream = streams().remove(handle);
  if (!stream) return fail(cudaErrorInvalidResourceHandle);
  std::lock_guard<std::mutex> lock(stream->mutex);
  stream->capture = nullptr;
  stream->closing = true;
  stream->changed.notify_all();
  count(Kind::kStream, -1);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const stream = find(handle);
  if (!stream) return fail(cudaErrorInvalidResourceHandle);
  if (stream->capture) {
    stream->capture->invalid = true;
    return fail(cudaErrorStreamCaptureUnsupported);
  }
  {
    std::unique_lock<std::mutex> lock(stream->mutex);
    stream->changed.wait(lock, [&] { return stream->queue.empty() && !stream->busy; });
  }
  return enter(__func__);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const stream = find(handle);
  if (!stream) return fail(cudaErrorInvalidResourceHandle);
  if (stream->capture) return fail(cudaErrorIllegalState);
  stream->capture = std::make_shared<Capture>();
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  std::lock_guard<std::mutex> lock(captures.mutex);
  auto const over = [](std::weak_ptr<Capture> const& capture) { return capture.expired(); };
  captures.active.erase(std::remove_if(captures.active.begin(), captures.active.end(), over), captures.active.end());
  captures.active.push_back(stream->capture);
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(threadMode, *mode);
  return cudaSuccess;
}

}  // extern "C"
