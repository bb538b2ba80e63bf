#include "model.h"

#include <fstream>
#include <iterator>

#include "onnx.h"
#include "program.h"

namespace fake {

Tensor const* Model::find(std::string const& name) const {
  for (auto const* list : {&inputs, &outputs})
    for (auto const& tensor : *list)
      if (tensor.name == name) return &tensor;
  return nullptr;
}

bool Model::isInput(std::string const& name) const {
  for (auto const& tensor : inputs)
    if (tensor.name == name) return true;
  return false;
}

std::shared_ptr<Model const> parse(std::string const& path, ParseFailure& failure) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    failure.message = "could not open file " + path;
    return nullptr;
  }
  std::string const content{std::istreambuf_iterator<char>(file), {}};
  if (OnnxModel::isOnnx(content)) return OnnxModel::parse(path, content, failure);
  return Program::parse(content, failure);
}

std::shared_ptr<Model const> load(std::string_view saved) {
  ParseFailure failure;
  if (OnnxModel::isSaved(saved)) return OnnxModel::load(saved);
  return Program::parse(std::string(saved), failure);
}

int bitsOf(nvinfer1::DataType type) {
  using T = nvinfer1::DataType;
  switch (type) {
    case T::kINT64: return 64;
    case T::kFLOAT:
    case T::kINT32: return 32;
    case T::kHALF:
    case T::kBF16: return 16;
    case T::kINT4:
    case T::kFP4: return 4;
    default: return 8;
  }
}

int typeNamed(std::string const& name) {
  static char const* const names[] = {"float32", "float16", "int8",  "int32", "bool", "uint8",
                                      "fp8",     "bfloat16", "int64", "int4",  "fp4",  "e8m0"};
  for (int type = 0; type < 12; type++)
    if (name == names[type]) return type;
  return -1;
}

int64_t elements(Shape const& shape) {
  int64_t product = 1;
  for (int64_t const size : shape) product *= size;
  return product;
}

size_t bytesOf(nvinfer1::DataType type, Shape const& shape) {
  return (static_cast<size_t>(elements(shape)) * bitsOf(type) + 7) / 8;
}

std::string toText(Shape const& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i > 0 ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

nvinfer1::Dims toDims(Shape const& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); i++) dims.d[i] = shape[i];
  return dims;
}

Shape fromDims(nvinfer1::Dims const& dims) { return Shape(dims.d, dims.d + (dims.nbDims > 0 ? dims.nbDims : 0)); }

}  // namespace fake
