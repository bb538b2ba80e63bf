#include "ort.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace fake::ort {
namespace {

// Places in the table.
constexpr int kGetErrorMessage = 2;
constexpr int kCreateEnv = 3;
constexpr int kCreateSession = 7;
constexpr int kRun = 9;
constexpr int kCreateSessionOptions = 10;
constexpr int kSetGraphOptimizationLevel = 23;
constexpr int kGetCount[] = {30, 31};
constexpr int kGetTypeInfo[] = {33, 34};
constexpr int kGetName[] = {36, 37};
constexpr int kCreateTensorWithData = 49;
constexpr int kGetTensorMutableData = 51;
constexpr int kCastTypeInfoToTensorInfo = 55;
constexpr int kGetTensorElementType = 60;
constexpr int kGetDimensionsCount = 61;
constexpr int kGetDimensions = 62;
constexpr int kGetSymbolicDimensions = 63;
constexpr int kGetTensorTypeAndShape = 65;
constexpr int kCreateCpuMemoryInfo = 69;
constexpr int kAllocatorFree = 76;
constexpr int kGetAllocatorWithDefaultOptions = 78;
constexpr int kReleaseStatus = 93;
constexpr int kReleaseSession = 95;
constexpr int kReleaseValue = 96;
constexpr int kReleaseTypeInfo = 98;
constexpr int kReleaseTensorTypeAndShapeInfo = 99;
constexpr int kReleaseSessionOptions = 100;

struct ApiBase {
  void* const* (*getApi)(uint32_t version);
  char const* (*getVersion)();
};

void* const* openTable() {
  char const* path = std::getenv("FAKE_TRT_ONNXRUNTIME");
  if (path == nullptr) throw std::runtime_error("an ONNX model needs FAKE_TRT_ONNXRUNTIME, the path of libonnxruntime");
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  auto const base = reinterpret_cast<ApiBase const* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (base == nullptr) throw std::runtime_error(std::string(path) + " is not ONNX Runtime");
  return base()->getApi(1);
}

void* entry(int place) {
  static void* const* const table = openTable();
  return table[place];
}

template <typename... Args>
void release(int place, Args... args) {
  reinterpret_cast<void (*)(Args...)>(entry(place))(args...);
}

/// Calls what answers with a status: null, or the failure.
template <typename... Args>
void call(int place, Args... args) {
  void* const status = reinterpret_cast<void* (*)(Args...)>(entry(place))(args...);
  if (status == nullptr) return;
  std::string const message = reinterpret_cast<char const* (*)(void const*)>(entry(kGetErrorMessage))(status);
  release<void*>(kReleaseStatus, status);
  throw std::runtime_error(message);
}

void* environment() {
  static void* const made = [] {
    constexpr int kErrors = 3;
    void* env = nullptr;
    call<int, char const*, void**>(kCreateEnv, kErrors, "stand-in", &env);
    return env;
  }();
  return made;
}

void* cpuMemory() {
  static void* const made = [] {
    constexpr int kDeviceAllocator = 0;
    constexpr int kDefault = 0;
    void* info = nullptr;
    call<int, int, void**>(kCreateCpuMemoryInfo, kDeviceAllocator, kDefault, &info);
    return info;
  }();
  return made;
}

using nvinfer1::DataType;
struct TypePair {
  int onnx;
  DataType type;
};
constexpr TypePair kTypes[] = {{1, DataType::kFLOAT}, {2, DataType::kUINT8}, {3, DataType::kINT8},
                               {6, DataType::kINT32}, {7, DataType::kINT64}, {9, DataType::kBOOL},
                               {10, DataType::kHALF}, {16, DataType::kBF16}};

DataType toType(int onnx) {
  for (TypePair const& pair : kTypes)
    if (pair.onnx == onnx) return pair.type;
  throw std::runtime_error("a graph's tensor has ONNX's type " + std::to_string(onnx) + ", which TensorRT has not");
}

int toOnnx(DataType type) {
  for (TypePair const& pair : kTypes)
    if (pair.type == type) return pair.onnx;
  throw std::runtime_error("ONNX Runtime does not run this type");
}

Shape shapeOf(void* info) {
  size_t rank = 0;
  call<void*, size_t*>(kGetDimensionsCount, info, &rank);
  Shape shape(rank);
  call<void*, int64_t*, size_t>(kGetDimensions, info, shape.data(), rank);
  return shape;
}

/// An OrtValue, given back with it.
class Value {
public:
  Value() = default;
  Value(Tensor const& tensor, Binding const& binding) {
    size_t const bytes = bytesOf(tensor.type, binding.shape);
    call<void*, void*, size_t, int64_t const*, size_t, int, void**>(kCreateTensorWithData, cpuMemory(), binding.data,
                                                                    bytes, binding.shape.data(), binding.shape.size(),
                                                                    toOnnx(tensor.type), &value);
  }
  ~Value() {
    if (value) release<void*>(kReleaseValue, value);
  }
  Value(Value const&) = delete;
  Value& operator=(Value const&) = delete;

  void* value = nullptr;
};

}  // namespace

Session::Session(std::string const& path, bool optimised) {
  void* options = nullptr;
  call<void**>(kCreateSessionOptions, &options);
  std::unique_ptr<void, void (*)(void*)> const owned(options, [](void* it) { release<void*>(kReleaseSessionOptions, it); });
  constexpr int kNone = 0;
  if (!optimised) call<void*, int>(kSetGraphOptimizationLevel, options, kNone);
  call<void*, char const*, void*, void**>(kCreateSession, environment(), path.c_str(), options, &mSession);
}

Session::~Session() {
  if (mSession) release<void*>(kReleaseSession, mSession);
}

std::vector<Tensor> Session::describe(Side side) const {
  void* allocator = nullptr;
  call<void**>(kGetAllocatorWithDefaultOptions, &allocator);
  size_t count = 0;
  call<void*, size_t*>(kGetCount[side], mSession, &count);
  std::vector<Tensor> tensors(count);
  for (size_t i = 0; i < count; i++) {
    char* name = nullptr;
    call<void*, size_t, void*, char**>(kGetName[side], mSession, i, allocator, &name);
    tensors[i].name = name;
    call<void*, void*>(kAllocatorFree, allocator, name);
    void* type = nullptr;
    void* info = nullptr;
    call<void*, size_t, void**>(kGetTypeInfo[side], mSession, i, &type);
    std::unique_ptr<void, void (*)(void*)> const owned(type, [](void* it) { release<void*>(kReleaseTypeInfo, it); });
    call<void*, void**>(kCastTypeInfoToTensorInfo, type, &info);
    if (info == nullptr) throw std::runtime_error(tensors[i].name + " is no tensor");
    int onnx = 0;
    call<void*, int*>(kGetTensorElementType, info, &onnx);
    tensors[i].type = toType(onnx);
    tensors[i].shape = shapeOf(info);
    std::vector<char const*> symbols(tensors[i].shape.size());
    call<void*, char const**, size_t>(kGetSymbolicDimensions, info, symbols.data(), symbols.size());
    tensors[i].symbols.assign(symbols.begin(), symbols.end());
  }
  return tensors;
}

void Session::run(std::vector<Tensor> const& inputs, std::vector<Tensor> const& outputs, Bindings& bindings) const {
  std::vector<std::unique_ptr<Value>> owned;
  std::vector<char const*> names[2];
  std::vector<void*> given;
  std::vector<void*> made;
  for (Tensor const& input : inputs) {
    owned.push_back(std::make_unique<Value>(input, bindings.at(input.name)));
    names[0].push_back(input.name.c_str());
    given.push_back(owned.back()->value);
  }
  for (Tensor const& output : outputs) {
    // A kernel might write an aliased output before it has read the input: such outputs are copied afterwards.
    Binding const& binding = bindings[output.name];
    bool const direct = binding.data && output.aliasOf.empty() && elements(binding.shape) > 0;
    owned.push_back(direct ? std::make_unique<Value>(output, binding) : std::make_unique<Value>());
    names[1].push_back(output.name.c_str());
    made.push_back(owned.back()->value);
  }
  call<void*, void*, char const* const*, void* const*, size_t, char const* const*, size_t, void**>(
      kRun, mSession, nullptr, names[0].data(), given.data(), given.size(), names[1].data(), made.size(), made.data());
  for (size_t i = 0; i < outputs.size(); i++) {
    Value& value = *owned[inputs.size() + i];
    if (value.value) continue;
    value.value = made[i];
    void* info = nullptr;
    call<void*, void**>(kGetTensorTypeAndShape, made[i], &info);
    Binding& binding = bindings[outputs[i].name];
    Shape const shape = shapeOf(info);
    release<void*>(kReleaseTensorTypeAndShapeInfo, info);
    void* data = nullptr;
    call<void*, void**>(kGetTensorMutableData, made[i], &data);
    if (binding.data && shape != binding.shape) throw std::runtime_error(outputs[i].name + " has another shape than told");
    if (binding.data) std::memcpy(binding.data, data, bytesOf(outputs[i].type, shape));
    binding.shape = shape;
  }
}

}  // namespace fake::ort
