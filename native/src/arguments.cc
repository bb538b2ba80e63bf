#include "arguments.h"

#include <cmath>

#include "failure.h"

using nvinfer1::DataType;
using nvinfer1::Dims;

int64_t count(const Napi::Value& value, const char* name, int64_t most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= static_cast<double>(most)) || std::floor(number) != number) {
    const std::string got = value.IsNumber() ? ", not " + value.ToString().Utf8Value() : "";
    throw misuse(std::string(name) + " must be an integer from 0 to " + std::to_string(most) + got);
  }
  return static_cast<int64_t>(number);
}

std::string text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw misuse(std::string(name) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

Dims dims(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) throw misuse(name + " must be an array of sizes");
  const Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > static_cast<uint32_t>(Dims::MAX_DIMS)) {
    throw misuse(name + " has " + std::to_string(array.Length()) + " dimensions, but TensorRT knows at most " +
                 std::to_string(Dims::MAX_DIMS));
  }
  Dims result{};
  result.nbDims = static_cast<int32_t>(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) result.d[i] = count(array.Get(i), name.c_str());
  return result;
}

Napi::Array toArray(Napi::Env env, const Dims& dims) {
  const uint32_t rank = dims.nbDims < 0 ? 0 : static_cast<uint32_t>(dims.nbDims);
  Napi::Array array = Napi::Array::New(env, rank);
  for (uint32_t i = 0; i < rank; i++) array.Set(i, static_cast<double>(dims.d[i]));
  return array;
}

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

std::string toText(const Dims& dims) {
  std::string text = "[";
  for (int32_t i = 0; i < dims.nbDims; i++) text += (i ? ", " : "") + std::to_string(dims.d[i]);
  return text + ']';
}
