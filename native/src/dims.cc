#include "dims.h"

#include <algorithm>

#include "arguments.h"
#include "failure.h"

using nvinfer1::Dims;

namespace {

/** TensorRT says −1 dimensions for a tensor that it does not know. */
int32_t rank(const Dims& dims) { return std::max(dims.nbDims, 0); }

}  // namespace

Dims dims(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) throw misuse(name + " must be an array of sizes");
  const Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > static_cast<uint32_t>(Dims::MAX_DIMS)) {
    throw misuse(name + " has " + std::to_string(array.Length()) +
                 " dimensions, but TensorRT knows at most " + std::to_string(Dims::MAX_DIMS));
  }
  Dims result{};
  result.nbDims = static_cast<int32_t>(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) result.d[i] = count(array.Get(i), name.c_str());
  return result;
}

Napi::Array toArray(Napi::Env env, const Dims& dims) {
  Napi::Array array = Napi::Array::New(env, static_cast<size_t>(rank(dims)));
  for (int32_t i = 0; i < rank(dims); i++)
    array.Set(static_cast<uint32_t>(i), static_cast<double>(dims.d[i]));
  return array;
}

std::string toText(const Dims& dims) {
  std::string text = "[";
  for (int32_t i = 0; i < dims.nbDims; i++) text += (i ? ", " : "") + std::to_string(dims.d[i]);
  return text + ']';
}

bool isOpen(const Dims& dims) {
  return std::any_of(dims.d, dims.d + rank(dims), [](int64_t size) { return size < 0; });
}

bool areEqual(const Dims& a, const Dims& b) {
  return a.nbDims == b.nbDims && std::equal(a.d, a.d + rank(a), b.d);
}
