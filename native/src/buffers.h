/** DeviceBuffer and PinnedBuffer. */
#pragma once

#include "memory.h"
#include "resource.h"

class DeviceBuffer final : public Resource<DeviceBuffer, DeviceMemory> {
 public:
  static constexpr const char* kName = "DeviceBuffer";
  static constexpr uint64_t kTag = 1;
  static Napi::Function define(Napi::Env env);
  explicit DeviceBuffer(const Napi::CallbackInfo& info);

 private:
  friend class Resource<DeviceBuffer, DeviceMemory>;
  Napi::Value bytes(const Napi::CallbackInfo& info);
};

class PinnedBuffer final : public Resource<PinnedBuffer, PinnedMemory> {
 public:
  static constexpr const char* kName = "PinnedBuffer";
  static constexpr uint64_t kTag = 2;
  static Napi::Function define(Napi::Env env);
  explicit PinnedBuffer(const Napi::CallbackInfo& info);

 private:
  friend class Resource<PinnedBuffer, PinnedMemory>;
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value array(const Napi::CallbackInfo& info);
  void release() override;

  Napi::Reference<Napi::ArrayBuffer> array_;
  /** The hold of the ArrayBuffer, which may outlive this object. Ended by the ArrayBuffer's finaliser. */
  std::shared_ptr<PinnedMemory>* arrayHold_ = nullptr;
};
