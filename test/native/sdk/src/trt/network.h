#pragma once

#include <NvInfer.h>

#include <atomic>
#include <memory>
#include <vector>

#include "../cuda/count.h"
#include "model.h"

namespace fake {

class NetworkTensor : public nvinfer1::ITensor {
public:
  explicit NetworkTensor(Tensor const& tensor) : mTensor(tensor) {}
  ~NetworkTensor() noexcept override = default;
  char const* getName() const noexcept override { return mTensor.name.c_str(); }
  nvinfer1::Dims getDimensions() const noexcept override { return toDims(mTensor.shape); }
  nvinfer1::DataType getType() const noexcept override { return mTensor.type; }

private:
  Tensor mTensor;
};

/// Empty until a parser fills it.
class Network : public nvinfer1::INetworkDefinition {
public:
  explicit Network(std::shared_ptr<std::atomic<int>> siblings) : mSiblings(std::move(siblings)) { ++*mSiblings; }
  ~Network() noexcept override { --*mSiblings; }
  int32_t getNbLayers() const noexcept override { return model ? model->layers : 0; }
  int32_t getNbInputs() const noexcept override { return static_cast<int32_t>(mInputs.size()); }
  nvinfer1::ITensor* getInput(int32_t index) const noexcept override { return at(mInputs, index); }
  int32_t getNbOutputs() const noexcept override { return static_cast<int32_t>(mOutputs.size()); }
  nvinfer1::ITensor* getOutput(int32_t index) const noexcept override { return at(mOutputs, index); }

  void fill(std::shared_ptr<Model const> parsed) {
    model = std::move(parsed);
    for (Tensor const& tensor : model->inputs) mInputs.push_back(std::make_unique<NetworkTensor>(tensor));
    for (Tensor const& tensor : model->outputs) mOutputs.push_back(std::make_unique<NetworkTensor>(tensor));
  }

  std::shared_ptr<Model const> model;
  /// The network points into its parser's weights: whether that is still there.
  std::shared_ptr<bool> const parserAlive = std::make_shared<bool>(false);

private:
  using Tensors = std::vector<std::unique_ptr<NetworkTensor>>;
  static nvinfer1::ITensor* at(Tensors const& tensors, int32_t index) {
    bool const there = index >= 0 && index < static_cast<int32_t>(tensors.size());
    return there ? tensors[static_cast<size_t>(index)].get() : nullptr;
  }

  Counted mCounted{Kind::kNetwork};
  std::shared_ptr<std::atomic<int>> mSiblings;
  Tensors mInputs;
  Tensors mOutputs;
};

}  // namespace fake
