/// What a network holds, a plan keeps and a context runs: tensors, and how outputs follow from inputs.
#pragma once

#include <NvInferRuntime.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

using Shape = std::vector<int64_t>;

struct Tensor {
  std::string name;
  nvinfer1::DataType type = nvinfer1::DataType::kFLOAT;
  /// −1 where the size is open.
  Shape shape;
  /// Open sizes of one name are equal.
  std::vector<std::string> symbols;
  /// Read from host memory when the work is enqueued.
  bool host = false;
  /// Of outputs: the input at whose address it is written.
  std::string aliasOf;
};

struct Binding {
  void* data = nullptr;
  Shape shape;
};
using Bindings = std::map<std::string, Binding>;
using Shapes = std::map<std::string, Shape>;

/// How building and running behave beside computing.
struct Behaviour {
  int steps = 4;
  int stepMilliseconds = 0;
  int kernelMilliseconds = 0;
  /// An int32 input: no inference begins before it is not 0.
  std::string gate;
  int64_t weightBytes = 4096;
  int64_t activationBytes = 4096;
  bool capturable = true;
  /// Where to fail ("build", "deserialize", "context", "enqueue") and with which words.
  std::map<std::string, std::string> failures;
};

class Model {
public:
  virtual ~Model() = default;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  int layers = 0;
  Behaviour behaviour;

  /// What `load` makes the same model of.
  virtual std::string save() const = 0;
  /// Adds the outputs' shapes to the inputs'. Open sizes stay open. Empty, or what is wrong.
  virtual std::string infer(Shapes& shapes) const = 0;
  virtual cudaError_t run(Bindings const& bindings) const = 0;

  Tensor const* find(std::string const& name) const;
  bool isInput(std::string const& name) const;
};

/// Where a file cannot be parsed.
struct ParseFailure {
  std::string message;
  std::string node;
  std::string op;
};

/// Reads an .onnx file: a tiny program (see ../../README.md) or a true ONNX model. Null after a failure.
std::shared_ptr<Model const> parse(std::string const& path, ParseFailure& failure);
std::shared_ptr<Model const> load(std::string_view saved);

/// Bits of an element.
int bitsOf(nvinfer1::DataType type);
/// −1 for a name of no type.
int typeNamed(std::string const& name);
int64_t elements(Shape const& shape);
size_t bytesOf(nvinfer1::DataType type, Shape const& shape);
std::string toText(Shape const& shape);
nvinfer1::Dims toDims(Shape const& shape);
Shape fromDims(nvinfer1::Dims const& dims);

}  // namespace fake
