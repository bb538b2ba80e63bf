/** Execution contexts: one inference at a time, with the activations and the bindings of one profile. */
#pragma once

#include <NvInferRuntime.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "engine.h"
#include "memory.h"
#include "resource.h"
#include "stream.h"

class ContextHandle : public std::enable_shared_from_this<ContextHandle> {
 public:
  /**
   * Waits for `stream`, on which TensorRT prepares the profile.
   * @param activations memory that other contexts may use too, one after another; null: the context gets its own
   */
  ContextHandle(std::shared_ptr<EngineHandle> engine, int32_t profile, StreamHandle& stream,
                std::shared_ptr<DeviceMemory> activations);
  ~ContextHandle();
  ContextHandle(const ContextHandle&) = delete;
  ContextHandle& operator=(const ContextHandle&) = delete;

  int32_t profile() const { return profile_; }
  void setShape(const std::string& input, const nvinfer1::Dims& dims);
  nvinfer1::Dims shape(const std::string& tensor);
  /** Binds `memory` from an offset; `onDevice` says which kind it is. */
  void setAddress(const std::string& tensor, std::shared_ptr<Memory> memory, size_t offset, bool onDevice);
  void enqueue(const std::shared_ptr<StreamHandle>& stream);

 private:
  struct Binding {
    std::shared_ptr<Memory> memory;
    /** Bytes from the bound address to the end. */
    size_t room = 0;
  };

  /** Holds the context for one call, and refuses a second one meanwhile. */
  class Use {
   public:
    explicit Use(ContextHandle& context);
    ~Use() { context_.inUse_.clear(std::memory_order_release); }

   private:
    ContextHandle& context_;
  };

  /** Throws a Failure `misuse` for an input without a shape. */
  void checkShapes() const;
  /** Throws a Failure `misuse` unless all tensors have an address with room for their shape. */
  void checkBindings() const;
  void bind(const std::string& tensor, const Binding& binding, size_t offset);

  std::shared_ptr<EngineHandle> engine_;
  int32_t profile_;
  std::shared_ptr<DeviceMemory> activations_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  std::map<std::string, Binding> bindings_;
  std::set<std::string> shaped_;
  /** Whether shapes and bindings were checked since they changed. */
  bool checked_ = false;
  /** Whether the work ran since its shapes changed: in that run TensorRT prepares, which cannot be recorded. */
  bool settled_ = false;
  Running running_;
  std::atomic_flag inUse_ = ATOMIC_FLAG_INIT;
};

class ExecutionContext final : public Resource<ExecutionContext, ContextHandle> {
 public:
  static constexpr const char* kName = "ExecutionContext";
  static constexpr uint64_t kTag = 7;
  static Napi::Function define(Napi::Env env);
  explicit ExecutionContext(const Napi::CallbackInfo& info);

 private:
  friend class Resource<ExecutionContext, ContextHandle>;
  Napi::Value profile(const Napi::CallbackInfo& info);
  Napi::Value setShape(const Napi::CallbackInfo& info);
  Napi::Value shape(const Napi::CallbackInfo& info);
  Napi::Value setAddress(const Napi::CallbackInfo& info);
  Napi::Value enqueue(const Napi::CallbackInfo& info);
};
