#pragma once

#include "engine.h"

namespace fake {

/// What of a context its work on the stream knows; the context may be gone when a graph is replayed.
struct Running {
  std::atomic<bool> now{false};
  std::atomic<int> queued{0};
  std::atomic<bool> destroyed{false};
};

class Context : public nvinfer1::IExecutionContext {
public:
  explicit Context(Engine const& engine);
  ~Context() noexcept override;
  bool setOptimizationProfileAsync(int32_t profile, cudaStream_t stream) noexcept override;
  bool setInputShape(char const* name, nvinfer1::Dims const& dims) noexcept override;
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  bool setTensorAddress(char const* name, void* data) noexcept override;
  void setDeviceMemoryV2(void* memory, int64_t bytes) noexcept override;
  bool enqueueV3(cudaStream_t stream) noexcept override;

private:
  /// Shapes of all tensors, or what keeps them from being known.
  std::string resolve(Shapes& shapes) const;
  /// Everything that has to hold before work is queued. Empty, or what does not.
  std::string bind(Bindings& bindings) const;
  std::string check(Tensor const& tensor, Binding const& binding) const;
  bool prepare(cudaStream_t stream);
  void selectProfile(int32_t profile);

  Counted mCounted{Kind::kContext};
  Engine const& mEngine;
  int32_t mProfile = 0;
  Shapes mShapes;
  std::map<std::string, void*> mAddresses;
  void* mActivations = nullptr;
  int64_t mActivationBytes = 0;
  /// The stream on which the profile was chosen, until work has been queued there.
  bool mPrepared = false;
  std::shared_ptr<Running> mRunning = std::make_shared<Running>();
  mutable std::atomic<bool> mInUse{false};
};

}  // namespace fake
