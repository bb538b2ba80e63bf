#include "cuda.h"
#include "dims.h"
#include "engine.h"
#include "files.h"

using namespace nvinfer1;

namespace {

EngineTensor describe(const ICudaEngine& engine, const char* name) {
  EngineTensor tensor{name,
                      engine.getTensorDataType(name),
                      engine.getTensorShape(name),
                      engine.getTensorIOMode(name) == TensorIOMode::kINPUT,
                      engine.getTensorLocation(name) == TensorLocation::kHOST,
                      "",
                      {}};
  if (!tensor.input) {
    const char* alias = engine.getAliasedInputTensor(name);
    if (alias) tensor.aliasOf = alias;
    return tensor;
  }
  for (int32_t i = 0; i < engine.getNbOptimizationProfiles(); i++) {
    // an engine without open sizes has a profile that nobody made, and need not know ranges
    const auto size = [&](OptProfileSelector which) {
      return isOpen(tensor.dims) ? engine.getProfileShape(name, i, which) : tensor.dims;
    };
    tensor.profiles.push_back(
        {size(OptProfileSelector::kMIN), size(OptProfileSelector::kOPT), size(OptProfileSelector::kMAX)});
  }
  return tensor;
}

}  // namespace

EngineHandle::EngineHandle(Environment& environment, const std::string& plan)
    : owner_(&environment), runtime_(environment.runtime()) {
  const MappedFile file(plan);
  const Conversation conversation(owner_);
  const RelaxedCapture relaxed;
  engine_.reset(runtime_->deserializeCudaEngine(file.data(), file.bytes()));
  if (!engine_) {
    throw conversation.failure("TensorRT does not take the plan " + quoted(plan) +
                               " (build it again with this TensorRT on this GPU)");
  }
  for (int32_t i = 0; i < engine_->getNbIOTensors(); i++) {
    tensors_.push_back(describe(*engine_, engine_->getIOTensorName(i)));
  }
}

EngineHandle::~EngineHandle() {
  const RelaxedCapture relaxed;
  engine_.reset();
}

const EngineTensor& EngineHandle::tensor(const std::string& name) const {
  std::string names;
  for (const EngineTensor& tensor : tensors_) {
    if (tensor.name == name) return tensor;
    names += (names.empty() ? "" : ", ") + tensor.name;
  }
  throw misuse("the engine has no tensor " + quoted(name) + ", only " + names);
}

int32_t EngineHandle::checkProfile(int64_t profile) const {
  const int32_t profiles = engine_->getNbOptimizationProfiles();
  if (profile < profiles) return static_cast<int32_t>(profile);
  throw misuse("the engine has no profile " + std::to_string(profile) + ": it has " +
               std::to_string(profiles) + ", counted from 0");
}

size_t EngineHandle::activationBytes(int32_t profile) const {
  return static_cast<size_t>(engine_->getDeviceMemorySizeForProfileV2(profile));
}
