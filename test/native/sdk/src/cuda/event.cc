#include <chrono>

#include "stream.h"

namespace fake {
namespace {

double now() {
  auto const since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

cudaError_t waitFor(std::shared_ptr<CUevent_st> const& event, uint64_t record) {
  std::unique_lock<std::mutex> lock(event->mutex);
  event->changed.wait(lock, [&] { return event->reached >= record; });
  return cudaSuccess;
}

}  // namespace

Handles<CUevent_st>& events() {
  static auto& handles = *new Handles<CUevent_st>;
  return handles;
}

}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned int) {
  if (cudaError_t error = enter(__func__)) return error;
  *handle = events().add(std::make_shared<CUevent_st>());
  count(Kind::kEvent, 1);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  if (!events().remove(handle)) return fail(cudaErrorInvalidResourceHandle);
  count(Kind::kEvent, -1);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t streamHandle) {
  if (cudaError_t error = enter(__func__)) return error;
  if (streamHandle == nullptr) undefined("an event was recorded on the default stream");
  auto const event = events().find(handle);
  auto const stream = streams().find(streamHandle);
  if (!event || !stream) return fail(cudaErrorInvalidResourceHandle);
  std::lock_guard<std::mutex> lock(event->mutex);
  event->captured = stream->capture != nullptr;
  event->capture = stream->capture;
  if (event->captured) return stream->capture->invalid ? fail(cudaErrorStreamCaptureInvalidated) : cudaSuccess;
  uint64_t const record = ++event->recorded;
  run(stream, [event, record] {
    std::lock_guard<std::mutex> lock(event->mutex);
    event->reached = record;
    event->milliseconds = now();
    event->changed.notify_all();
    return cudaSuccess;
  });
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t streamHandle, cudaEvent_t handle, unsigned int) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const event = events().find(handle);
  auto const stream = streams().find(streamHandle);
  if (!event || !stream) return fail(cudaErrorInvalidResourceHandle);
  std::lock_guard<std::mutex> lock(event->mutex);
  if (stream->capture) {
    // Within one stream's capture the order is given; work from outside cannot be a part of it.
    if (event->captured && event->capture.lock() == stream->capture) return cudaSuccess;
    stream->capture->invalid = true;
    return fail(cudaErrorStreamCaptureIsolation);
  }
  // CUDA would draw the waiting stream into the capture; this stand-in records one stream only.
  if (event->captured) return fail(cudaErrorCapturedEvent);
  run(stream, [event, record = event->recorded] { return waitFor(event, record); });
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const event = events().find(handle);
  if (!event) return fail(cudaErrorInvalidResourceHandle);
  std::lock_guard<std::mutex> lock(event->mutex);
  if (event->captured) return fail(cudaErrorCapturedEvent);
  return event->reached >= event->recorded ? cudaSuccess : fail(cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const event = events().find(handle);
  if (!event) return fail(cudaErrorInvalidResourceHandle);
  uint64_t record;
  {
    std::lock_guard<std::mutex> lock(event->mutex);
    if (event->captured) return fail(cudaErrorCapturedEvent);
    record = event->recorded;
  }
  waitFor(event, record);
  return enter(__func__);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t startHandle, cudaEvent_t endHandle) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const start = events().find(startHandle);
  auto const end = events().find(endHandle);
  if (!start || !end) return fail(cudaErrorInvalidResourceHandle);
  double times[2];
  int index = 0;
  for (auto const& event : {start, end}) {
    std::lock_guard<std::mutex> lock(event->mutex);
    if (event->recorded == 0 || event->captured) return fail(cudaErrorInvalidResourceHandle);
    if (event->reached < event->recorded) return fail(cudaErrorNotReady);
    times[index++] = event->milliseconds;
  }
  *milliseconds = static_cast<float>(times[1] - times[0]);
  return cudaSuccess;
}

}  // extern "C"
