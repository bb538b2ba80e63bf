#include "stream.h"

#include "arguments.h"
#include "buffers.h"
#include "environment.h"
#include "event.h"
#include "graph.h"

namespace {

/** The address of a part of a buffer, which must lie within it. */
char* part(const Memory& memory, int64_t offset, int64_t bytes, const char* name) {
  const auto whole = static_cast<int64_t>(memory.bytes());
  if (offset > whole || bytes > whole - offset) {
    throw misuse(std::to_string(bytes) + " bytes from " + std::to_string(offset) + " lie outside of the " +
                 name + "'s " + std::to_string(whole));
  }
  return memory.at(static_cast<size_t>(offset));
}

}  // namespace

Napi::Function Stream::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {method<&Stream::upload>("upload"), method<&Stream::download>("download"),
       method<&Stream::copy>("copy"), method<&Stream::fill>("fill"), method<&Stream::record>("record"),
       method<&Stream::wait>("wait"), method<&Stream::beginCapture>("beginCapture"),
       method<&Stream::endCapture>("endCapture"), method<&Stream::synchronize>("synchronize"),
       disposeMethod()});
}

Stream::Stream(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] {
    Environment::of(info.Env()).device();
    hold(std::make_shared<StreamHandle>());
  });
}

Stream::~Stream() {
  if (held()) held()->abandonCapture();
}

void Stream::release() { handle()->abandonCapture(); }

template <class Target, class Source>
Napi::Value Stream::transfer(const Napi::CallbackInfo& info, cudaMemcpyKind kind) {
  const auto& stream = handle();
  const auto target = Target::of(info[0], "target");
  const auto source = Source::of(info[2], "source");
  const int64_t bytes = count(info[4], "bytes");
  char* to = part(*target, count(info[1], "targetOffset"), bytes, "target");
  const char* from = part(*source, count(info[3], "sourceOffset"), bytes, "source");
  if (to < from + bytes && from < to + bytes) throw misuse("the copied parts of a buffer overlap");
  if (bytes == 0) return info.Env().Undefined();
  stream->checkCall(cuda().cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, stream->get()),
                    "cudaMemcpyAsync");
  stream->keep(target);
  stream->keep(source);
  return info.Env().Undefined();
}

Napi::Value Stream::upload(const Napi::CallbackInfo& info) {
  return transfer<DeviceBuffer, PinnedBuffer>(info, cudaMemcpyHostToDevice);
}

Napi::Value Stream::download(const Napi::CallbackInfo& info) {
  return transfer<PinnedBuffer, DeviceBuffer>(info, cudaMemcpyDeviceToHost);
}

Napi::Value Stream::copy(const Napi::CallbackInfo& info) {
  return transfer<DeviceBuffer, DeviceBuffer>(info, cudaMemcpyDeviceToDevice);
}

Napi::Value Stream::fill(const Napi::CallbackInfo& info) {
  const auto& stream = handle();
  const auto target = DeviceBuffer::of(info[0], "target");
  const int64_t bytes = count(info[2], "bytes");
  char* to = part(*target, count(info[1], "offset"), bytes, "target");
  const int value = static_cast<int>(count(info[3], "value", 255));
  if (bytes == 0) return info.Env().Undefined();
  stream->checkCall(cuda().cudaMemsetAsync(to, value, static_cast<size_t>(bytes), stream->get()),
                    "cudaMemsetAsync");
  stream->keep(target);
  return info.Env().Undefined();
}

Napi::Value Stream::record(const Napi::CallbackInfo& info) {
  const auto& stream = handle();
  const auto event = Event::of(info[0], "event");
  stream->checkCall(cuda().cudaEventRecord(event->get(), stream->get()), "cudaEventRecord");
  stream->keep(event);
  return info.Env().Undefined();
}

Napi::Value Stream::wait(const Napi::CallbackInfo& info) {
  const auto& stream = handle();
  const auto event = Event::of(info[0], "event");
  stream->checkCall(cuda().cudaStreamWaitEvent(stream->get(), event->get(), 0), "cudaStreamWaitEvent");
  stream->keep(event);
  return info.Env().Undefined();
}

Napi::Value Stream::beginCapture(const Napi::CallbackInfo& info) {
  handle()->beginCapture();
  return info.Env().Undefined();
}

Napi::Value Stream::endCapture(const Napi::CallbackInfo& info) {
  std::vector<std::shared_ptr<void>> kept;
  cudaGraphExec_t executable = handle()->endCapture(kept);
  if (!executable) return info.Env().Null();
  return Graph::wrap(Environment::of(info.Env()).graphClass,
                     std::make_shared<GraphHandle>(executable, std::move(kept)));
}

Napi::Value Stream::synchronize(const Napi::CallbackInfo& info) {
  handle()->synchronize();
  return info.Env().Undefined();
}
