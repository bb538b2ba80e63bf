#include "engine.h"

#include "../cuda/device.h"
#include "context.h"
#include "log.h"

namespace fake {

Engine::Engine(nvinfer1::ILogger& log, std::shared_ptr<std::atomic<int>> siblings, Plan loaded,
               std::shared_ptr<Model const> runs, void* weights)
    : logger(log),
      plan(std::move(loaded)),
      model(std::move(runs)),
      device(currentDevice()),
      mSiblings(std::move(siblings)),
      mWeights(weights) {
  ++*mSiblings;
}

Engine::~Engine() noexcept {
  if (*contexts > 0) undefined("an engine was destroyed before its execution contexts");
  --*mSiblings;
  cudaFree(mWeights);
}

int32_t Engine::getNbIOTensors() const noexcept {
  return static_cast<int32_t>(model->inputs.size() + model->outputs.size());
}

char const* Engine::getIOTensorName(int32_t index) const noexcept {
  size_t const at = static_cast<size_t>(index);
  size_t const inputs = model->inputs.size();
  return (at < inputs ? model->inputs[at] : model->outputs[at - inputs]).name.c_str();
}

nvinfer1::TensorIOMode Engine::getTensorIOMode(char const* name) const noexcept {
  if (!model->find(name)) return nvinfer1::TensorIOMode::kNONE;
  return model->isInput(name) ? nvinfer1::TensorIOMode::kINPUT : nvinfer1::TensorIOMode::kOUTPUT;
}

nvinfer1::Dims Engine::getTensorShape(char const* name) const noexcept {
  Tensor const* const tensor = model->find(name);
  return tensor ? toDims(tensor->shape) : nvinfer1::Dims{-1, {}};
}

nvinfer1::DataType Engine::getTensorDataType(char const* name) const noexcept {
  Tensor const* const tensor = model->find(name);
  return tensor ? tensor->type : nvinfer1::DataType::kFLOAT;
}

nvinfer1::TensorLocation Engine::getTensorLocation(char const* name) const noexcept {
  Tensor const* const tensor = model->find(name);
  return tensor && tensor->host ? nvinfer1::TensorLocation::kHOST : nvinfer1::TensorLocation::kDEVICE;
}

char const* Engine::getAliasedInputTensor(char const* name) const noexcept {
  Tensor const* const tensor = model->find(name);
  return tensor && !tensor->aliasOf.empty() ? tensor->aliasOf.c_str() : nullptr;
}

int32_t Engine::getNbOptimizationProfiles() const noexcept { return static_cast<int32_t>(plan.profiles.size()); }

nvinfer1::Dims Engine::getProfileShape(char const* name, int32_t profile,
                                       nvinfer1::OptProfileSelector which) const noexcept {
  if (profile < 0 || profile >= getNbOptimizationProfiles() || !model->isInput(name)) return {-1, {}};
  return toDims(plan.profiles[static_cast<size_t>(profile)].at(name)[static_cast<size_t>(which)]);
}

int64_t Engine::getDeviceMemorySizeForProfileV2(int32_t profile) const noexcept {
  // Profiles differ in what they need: a later one needs more.
  return model->behaviour.activationBytes * (profile + 1);
}

nvinfer1::IExecutionContext* Engine::createExecutionContext(
    nvinfer1::ExecutionContextAllocationStrategy strategy) noexcept {
  auto const failure = model->behaviour.failures.find("context");
  if (failure != model->behaviour.failures.end()) {
    error(logger, "ICudaEngine::createExecutionContext", failure->second);
    return nullptr;
  }
  if (strategy != nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED)
    undefined("this stand-in knows contexts of user-managed memory only");
  return new Context(*this);
}

}  // namespace fake
