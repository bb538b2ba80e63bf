/// A true ONNX model, run by ONNX Runtime on the host.
#pragma once

#include <mutex>

#include "ort.h"

namespace fake {

class OnnxModel : public Model {
public:
  static bool isOnnx(std::string const& content);
  static bool isSaved(std::string_view saved);
  static std::shared_ptr<Model const> parse(std::string const& path, std::string const& content, ParseFailure& failure);
  static std::shared_ptr<Model const> load(std::string_view saved);

  std::string save() const override;
  std::string infer(Shapes& shapes) const override;
  cudaError_t run(Bindings const& bindings) const override;

private:
  /// @param optimised whether it is to run, and not only to be described
  OnnxModel(std::string path, bool optimised);

  std::string mPath;
  ort::Session mSession;
  mutable std::mutex mMutex;
  /// Output shapes by the inputs' shapes, as far as symbols do not tell them.
  mutable std::map<std::string, Shapes> mTried;
};

}  // namespace fake
