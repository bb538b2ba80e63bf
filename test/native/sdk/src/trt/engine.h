#pragma once

#include <atomic>

#include "../cuda/count.h"
#include "plan.h"

namespace fake {

class Engine : public nvinfer1::ICudaEngine {
public:
  Engine(nvinfer1::ILogger& log, std::shared_ptr<std::atomic<int>> siblings, Plan loaded,
         std::shared_ptr<Model const> runs, void* weights);
  ~Engine() noexcept override;
  int32_t getNbIOTensors() const noexcept override;
  char const* getIOTensorName(int32_t index) const noexcept override;
  nvinfer1::TensorIOMode getTensorIOMode(char const* name) const noexcept override;
  nvinfer1::Dims getTensorShape(char const* name) const noexcept override;
  nvinfer1::DataType getTensorDataType(char const* name) const noexcept override;
  nvinfer1::TensorLocation getTensorLocation(char const* name) const noexcept override;
  char const* getAliasedInputTensor(char const* name) const noexcept override;
  int32_t getNbOptimizationProfiles() const noexcept override;
  nvinfer1::Dims getProfileShape(char const* name, int32_t profile,
                                 nvinfer1::OptProfileSelector which) const noexcept override;
  int64_t getDeviceMemorySizeForProfileV2(int32_t profile) const noexcept override;
  int64_t getEngineStat(nvinfer1::EngineStat) const noexcept override { return model->behaviour.weightBytes; }
  nvinfer1::IExecutionContext* createExecutionContext(
      nvinfer1::ExecutionContextAllocationStrategy strategy) noexcept override;

  nvinfer1::ILogger& logger;
  Plan const plan;
  std::shared_ptr<Model const> const model;
  int const device;
  std::shared_ptr<std::atomic<int>> const contexts = std::make_shared<std::atomic<int>>(0);

private:
  Counted mCounted{Kind::kEngine};
  std::shared_ptr<std::atomic<int>> mSiblings;
  void* mWeights;
};

}  // namespace fake
