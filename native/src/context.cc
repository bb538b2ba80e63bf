#include "context.h"

#include "arguments.h"
#include "buffers.h"
#include "dims.h"

Napi::Function ExecutionContext::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {property<&ExecutionContext::profile>("profile"), method<&ExecutionContext::setShape>("setShape"),
       method<&ExecutionContext::shape>("shape"), method<&ExecutionContext::setAddress>("setAddress"),
       method<&ExecutionContext::enqueue>("enqueue"), disposeMethod()});
}

ExecutionContext::ExecutionContext(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] { hold(wrapped(info, "engine.createContext()")); });
}

Napi::Value ExecutionContext::profile(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), handle()->profile());
}

Napi::Value ExecutionContext::setShape(const Napi::CallbackInfo& info) {
  const std::string input = text(info[0], "input");
  const nvinfer1::Dims shape = dims(info[1], "dims of " + quoted(input));
  handle()->setShape(input, shape);
  return info.Env().Undefined();
}

Napi::Value ExecutionContext::shape(const Napi::CallbackInfo& info) {
  return toArray(info.Env(), handle()->shape(text(info[0], "tensor")));
}

Napi::Value ExecutionContext::setAddress(const Napi::CallbackInfo& info) {
  const std::string tensor = text(info[0], "tensor");
  const bool onDevice = DeviceBuffer::is(info[1]);
  std::shared_ptr<Memory> memory;
  if (onDevice) {
    memory = DeviceBuffer::of(info[1], "buffer");
  } else if (PinnedBuffer::is(info[1])) {
    memory = PinnedBuffer::of(info[1], "buffer");
  } else {
    throw misuse("buffer must be a DeviceBuffer or a PinnedBuffer");
  }
  const int64_t offset = info[2].IsUndefined() ? 0 : count(info[2], "offset");
  handle()->setAddress(tensor, std::move(memory), static_cast<size_t>(offset), onDevice);
  return info.Env().Undefined();
}

Napi::Value ExecutionContext::enqueue(const Napi::CallbackInfo& info) {
  const auto stream = Stream::of(info[0], "stream");
  // the hold outlives the call even if the object is disposed of meanwhile
  const auto context = handle();
  context->enqueue(stream);
  return info.Env().Undefined();
}
