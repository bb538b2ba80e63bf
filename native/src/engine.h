/** Engines: plans that were read to the GPU. */
#pragma once

#include <NvInferRuntime.h>

#include <memory>
#include <string>
#include <vector>

#include "environment.h"
#include "resource.h"

/** What an input may measure with one profile. */
struct Range {
  nvinfer1::Dims min;
  nvinfer1::Dims opt;
  nvinfer1::Dims max;
};

struct EngineTensor {
  std::string name;
  nvinfer1::DataType type;
  /** −1 where the size is open. */
  nvinfer1::Dims dims;
  bool input;
  /** Whether TensorRT reads or writes it in host memory. */
  bool host;
  /** The input at whose address this output is bound; empty if none. */
  std::string aliasOf;
  /** Of inputs, one for each profile. */
  std::vector<Range> profiles;
};

class EngineHandle {
 public:
  /** Reads a plan. Throws a Failure `misuse` without one, `tensorrt` or `memory`. */
  EngineHandle(Environment& environment, const std::string& plan);
  ~EngineHandle();
  EngineHandle(const EngineHandle&) = delete;
  EngineHandle& operator=(const EngineHandle&) = delete;

  nvinfer1::ICudaEngine& get() const { return *engine_; }
  /** Names the environment, for a Conversation. */
  const void* owner() const { return owner_; }
  const std::vector<EngineTensor>& tensors() const { return tensors_; }
  /** Throws a Failure `misuse` that lists the names. */
  const EngineTensor& tensor(const std::string& name) const;
  /** Throws a Failure `misuse` unless 0 … getNbOptimizationProfiles() − 1. */
  int32_t checkProfile(int64_t profile) const;
  size_t activationBytes(int32_t profile) const;

 private:
  const void* owner_;
  std::shared_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<EngineTensor> tensors_;
};

class Engine final : public Resource<Engine, EngineHandle> {
 public:
  static constexpr const char* kName = "Engine";
  static constexpr uint64_t kTag = 6;
  static Napi::Function define(Napi::Env env);
  explicit Engine(const Napi::CallbackInfo& info);

 private:
  friend class Resource<Engine, EngineHandle>;
  Napi::Value tensors(const Napi::CallbackInfo& info);
  Napi::Value profiles(const Napi::CallbackInfo& info);
  Napi::Value weightBytes(const Napi::CallbackInfo& info);
  Napi::Value activationBytes(const Napi::CallbackInfo& info);
  Napi::Value createContext(const Napi::CallbackInfo& info);

  Napi::ObjectReference tensors_;
};

/** Native.loadEngine(). */
Napi::Value loadEngine(const Napi::CallbackInfo& info);
