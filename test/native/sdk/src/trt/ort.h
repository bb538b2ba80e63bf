/// The few entries of ONNX Runtime's C interface that run a model, by their places in its table of functions, which only
/// ever grows at its end. The library is the one that FAKE_TRT_ONNXRUNTIME names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model.h"

namespace fake::ort {

/// A model that is ready to run. Calls of `run` may overlap.
class Session {
public:
  /// @throws std::runtime_error with ONNX Runtime's words
  Session(std::string const& path, bool optimised);
  ~Session();
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  std::vector<Tensor> inputs() const { return describe(kInputs); }
  std::vector<Tensor> outputs() const { return describe(kOutputs); }

  /// Reads inputs from and writes outputs to the bound memory; an output without memory gets its shape only.
  /// @throws std::runtime_error with ONNX Runtime's words
  void run(std::vector<Tensor> const& inputs, std::vector<Tensor> const& outputs, Bindings& bindings) const;

private:
  enum Side { kInputs, kOutputs };
  std::vector<Tensor> describe(Side side) const;

  void* mSession = nullptr;
};

}  // namespace fake::ort
