/// Runs a tiny program on the host.
#include <cstring>

#include "program.h"

namespace fake {
namespace {

struct Value {
  Binding binding;
  std::vector<char> own;
};

template <typename T>
void elementwise(std::string const& op, Binding const& a, Binding const& b, Binding const& out) {
  int64_t const count = elements(out.shape);
  bool const scalar = elements(b.shape) == 1;
  auto const* x = static_cast<T const*>(a.data);
  auto const* y = static_cast<T const*>(b.data);
  auto* z = static_cast<T*>(out.data);
  for (int64_t i = 0; i < count; i++) {
    T const other = y[scalar ? 0 : i];
    z[i] = op == "add" ? x[i] + other : x[i] * other;
  }
}

template <typename T>
void sum(Binding const& a, Binding const& out) {
  int64_t const rows = elements(out.shape);
  int64_t const columns = a.shape.back();
  auto const* x = static_cast<T const*>(a.data);
  auto* z = static_cast<T*>(out.data);
  for (int64_t row = 0; row < rows; row++) {
    z[row] = 0;
    for (int64_t column = 0; column < columns; column++) z[row] += x[row * columns + column];
  }
}

/// Writes the rows of `update` into the cache at each sequence's index; what would lie outside is left out.
void updateCache(Binding const& cache, Binding const& update, Binding const& index, size_t elementBytes) {
  Shape const& to = cache.shape;
  size_t const row = static_cast<size_t>(to[3]) * elementBytes;
  for (int64_t b = 0; b < to[0]; b++) {
    int64_t const start = static_cast<int32_t const*>(index.data)[b];
    for (int64_t head = 0; head < to[1]; head++)
      for (int64_t s = 0; s < update.shape[2]; s++) {
        if (start + s < 0 || start + s >= to[2]) continue;
        int64_t const target = (b * to[1] + head) * to[2] + start + s;
        int64_t const source = (b * to[1] + head) * update.shape[2] + s;
        std::memcpy(static_cast<char*>(cache.data) + target * row, static_cast<char*>(update.data) + source * row, row);
      }
  }
}

}  // namespace

cudaError_t Program::run(Bindings const& bindings) const {
  std::map<std::string, Value> values;
  Shapes shapes;
  for (Tensor const& input : inputs) {
    values[input.name].binding = bindings.at(input.name);
    shapes[input.name] = bindings.at(input.name).shape;
  }
  if (!infer(shapes).empty()) return cudaErrorLaunchFailure;
  for (Instruction const& instruction : mInstructions) {
    auto const type = mTypes.at(instruction.result);
    Value& result = values[instruction.result];
    auto const bound = bindings.find(instruction.result);
    if (bound == bindings.end()) result.own.resize(bytesOf(type, shapes[instruction.result]));
    result.binding.data = bound == bindings.end() ? result.own.data() : bound->second.data;
    result.binding.shape = shapes[instruction.result];
    auto const arg = [&](size_t index) -> Binding const& { return values.at(instruction.args[index]).binding; };
    bool const whole = type == nvinfer1::DataType::kINT32;
    if (instruction.op == "kv_update") {
      if (result.binding.data != arg(0).data)
        std::memcpy(result.binding.data, arg(0).data, bytesOf(type, arg(0).shape));
      updateCache(result.binding, arg(1), arg(2), static_cast<size_t>(bitsOf(type) / 8));
    } else if (instruction.op == "copy") {
      std::memmove(result.binding.data, arg(0).data, bytesOf(type, result.binding.shape));
    } else if (instruction.op == "sum") {
      whole ? sum<int32_t>(arg(0), result.binding) : sum<float>(arg(0), result.binding);
    } else if (whole) {
      elementwise<int32_t>(instruction.op, arg(0), arg(1), result.binding);
    } else {
      elementwise<float>(instruction.op, arg(0), arg(1), result.binding);
    }
  }
  return cudaSuccess;
}

}  // namespace fake
