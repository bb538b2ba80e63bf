/** Events: marks in a stream's order that take the GPU's time. */
#pragma once

#include "cuda.h"
#include "resource.h"

class EventHandle {
 public:
  EventHandle();
  ~EventHandle();
  EventHandle(const EventHandle&) = delete;
  EventHandle& operator=(const EventHandle&) = delete;

  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

class Event final : public Resource<Event, EventHandle> {
 public:
  static constexpr const char* kName = "Event";
  static constexpr uint64_t kTag = 4;
  static Napi::Function define(Napi::Env env);
  explicit Event(const Napi::CallbackInfo& info);

 private:
  friend class Resource<Event, EventHandle>;
  Napi::Value query(const Napi::CallbackInfo& info);
  Napi::Value synchronize(const Napi::CallbackInfo& info);
  Napi::Value since(const Napi::CallbackInfo& info);
};
