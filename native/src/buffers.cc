#include "buffers.h"

#include "arguments.h"
#include "environment.h"

namespace {

size_t sizeArgument(const Napi::CallbackInfo& info) {
  // memory belongs to a GPU, and a pinned page to the driver
  Environment::of(info.Env()).device();
  const int64_t bytes = count(info[0], "bytes");
  if (bytes == 0) throw misuse("bytes must be at least 1: a buffer holds something");
  return static_cast<size_t>(bytes);
}

}  // namespace

Napi::Function DeviceBuffer::define(Napi::Env env) {
  return DefineClass(env, kName, {property<&DeviceBuffer::bytes>("bytes"), disposeMethod()});
}

DeviceBuffer::DeviceBuffer(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] { hold(std::make_shared<DeviceMemory>(sizeArgument(info))); });
}

Napi::Value DeviceBuffer::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(handle()->bytes()));
}

Napi::Function PinnedBuffer::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {property<&PinnedBuffer::bytes>("bytes"), property<&PinnedBuffer::array>("array"), disposeMethod()});
}

PinnedBuffer::PinnedBuffer(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] {
    const auto memory = std::make_shared<PinnedMemory>(sizeArgument(info));
    auto arrayHold = std::make_unique<std::shared_ptr<PinnedMemory>>(memory);
    const auto letGo = [](Napi::Env, void*, std::shared_ptr<PinnedMemory>* hold) { delete hold; };
    const Napi::ArrayBuffer array =
        Napi::ArrayBuffer::New(info.Env(), memory->at(0), memory->bytes(), letGo, arrayHold.get());
    arrayHold_ = arrayHold.release();
    array_ = Napi::Persistent(array);
    hold(memory);
  });
}

Napi::Value PinnedBuffer::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(handle()->bytes()));
}

Napi::Value PinnedBuffer::array(const Napi::CallbackInfo&) {
  handle();
  return array_.Value();
}

void PinnedBuffer::release() {
  Napi::ArrayBuffer array = array_.Value();
  // if its owner has transferred the memory to another ArrayBuffer, that one ends the hold
  if (!array.IsDetached()) {
    arrayHold_->reset();
    array.Detach();
  }
  array_.Reset();
}
