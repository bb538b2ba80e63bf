#include "dtype.h"

#include <string>

#include "failure.h"

using nvinfer1::DataType;
using nvinfer1::Dims;

namespace {

size_t bitsOf(DataType type) {
  switch (type) {
    case DataType::kINT64: return 64;
    case DataType::kFLOAT:
    case DataType::kINT32: return 32;
    case DataType::kHALF:
    case DataType::kBF16: return 16;
    case DataType::kINT8:
    case DataType::kUINT8:
    case DataType::kBOOL:
    case DataType::kFP8:
    case DataType::kE8M0: return 8;
    case DataType::kINT4:
    case DataType::kFP4: return 4;
  }
  throw Failure(Code::kTensorrt, std::string("the addon does not know how large ") + nameOf(type) + " is");
}

}  // namespace

const char* nameOf(DataType type) {
  switch (type) {
    case DataType::kFLOAT: return "float32";
    case DataType::kHALF: return "float16";
    case DataType::kBF16: return "bfloat16";
    case DataType::kINT8: return "int8";
    case DataType::kUINT8: return "uint8";
    case DataType::kINT32: return "int32";
    case DataType::kINT64: return "int64";
    case DataType::kBOOL: return "bool";
    case DataType::kFP8: return "fp8";
    case DataType::kINT4: return "int4";
    case DataType::kFP4: return "fp4";
    case DataType::kE8M0: return "e8m0";
  }
  throw Failure(Code::kTensorrt, "TensorRT knows a data type that the addon does not: " +
                                     std::to_string(static_cast<int>(type)));
}

size_t bytesOf(const Dims& dims, DataType type) {
  size_t elements = 1;
  for (int32_t i = 0; i < dims.nbDims; i++) elements *= static_cast<size_t>(dims.d[i]);
  return (elements * bitsOf(type) + 7) / 8;
}
