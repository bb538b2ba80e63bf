#include "context.h"

#include <chrono>
#include <cstring>
#include <thread>

#include "../cuda/device.h"
#include "log.h"

namespace fake {
namespace {

/// A context belongs to one thread at a time.
class Exclusive {
public:
  explicit Exclusive(std::atomic<bool>& inUse) : mInUse(inUse) {
    if (mInUse.exchange(true)) undefined("an execution context was used by two threads at a time");
  }
  ~Exclusive() { mInUse = false; }

private:
  std::atomic<bool>& mInUse;
};

/// One inference as it runs on the stream.
struct Inference {
  std::shared_ptr<Model const> model;
  std::shared_ptr<Running> running;
  Bindings bindings;
  std::map<std::string, std::vector<char>> hostInputs;
  void* activations;
  size_t activationBytes;

  cudaError_t operator()();
};

cudaError_t Inference::operator()() {
  if (running->destroyed) return cudaErrorIllegalAddress;
  if (running->now.exchange(true)) undefined("two inferences of one execution context ran at a time");
  auto const reachable = [](void const* at, size_t bytes) { return inDeviceMemory(at, bytes) || inHostMemory(at, bytes); };
  bool legal = activationBytes == 0 || inDeviceMemory(activations, activationBytes);
  for (auto const* list : {&model->inputs, &model->outputs})
    for (Tensor const& tensor : *list) {
      Binding& binding = bindings.at(tensor.name);
      if (tensor.host) binding.data = hostInputs.at(tensor.name).data();
      else legal = legal && reachable(binding.data, bytesOf(tensor.type, binding.shape));
    }
  if (!legal) return cudaErrorIllegalAddress;
  // Scratch memory that somebody else writes meanwhile would be a wrong result on a GPU.
  constexpr size_t kStamp = 64;
  size_t const stamped = activationBytes < kStamp ? activationBytes : kStamp;
  static std::atomic<unsigned char> next{1};
  unsigned char const stamp = next++;
  if (stamped > 0) std::memset(activations, stamp, stamped);
  auto const pause = [](int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); };
  if (!model->behaviour.gate.empty()) {
    auto const* const gate = static_cast<int32_t const*>(bindings.at(model->behaviour.gate).data);
    while (__atomic_load_n(gate, __ATOMIC_ACQUIRE) == 0) pause(1);
  }
  pause(model->behaviour.kernelMilliseconds);
  cudaError_t const error = model->run(bindings);
  for (size_t i = 0; i < stamped; i++)
    if (static_cast<unsigned char*>(activations)[i] != stamp)
      undefined("two inferences used the same activation memory at a time");
  running->now = false;
  return error;
}

}  // namespace

Context::Context(Engine const& engine) : mEngine(engine) {
  ++*mEngine.contexts;
  selectProfile(0);
}

Context::~Context() noexcept {
  Exclusive const exclusive(mInUse);
  if (mRunning->queued > 0) undefined("an execution context was destroyed before its work was done");
  mRunning->destroyed = true;
  --*mEngine.contexts;
}

void Context::selectProfile(int32_t profile) {
  mProfile = profile;
  mPrepared = false;
  mShapes.clear();
  for (Tensor const& input : mEngine.model->inputs) {
    bool fixed = true;
    for (int64_t const size : input.shape) fixed = fixed && size >= 0;
    if (fixed) mShapes[input.name] = input.shape;
  }
}

bool Context::setOptimizationProfileAsync(int32_t profile, cudaStream_t stream) noexcept {
  Exclusive const exclusive(mInUse);
  if (profile < 0 || profile >= mEngine.getNbOptimizationProfiles())
    return error(mEngine.logger, "IExecutionContext::setOptimizationProfileAsync", "there is no such profile");
  selectProfile(profile);
  return launch(stream, [] { return cudaSuccess; }) == cudaSuccess;
}

bool Context::setInputShape(char const* name, nvinfer1::Dims const& dims) noexcept {
  Exclusive const exclusive(mInUse);
  auto const refuse = [&](std::string const& why) {
    return error(mEngine.logger, "IExecutionContext::setInputShape", why);
  };
  if (!mEngine.model->isInput(name)) return refuse(std::string("there is no input ") + name);
  Shape const shape = fromDims(dims);
  auto const& ends = mEngine.plan.profiles[static_cast<size_t>(mProfile)].at(name);
  bool within = shape.size() == ends[0].size();
  for (size_t i = 0; within && i < shape.size(); i++) within = shape[i] >= ends[0][i] && shape[i] <= ends[2][i];
  if (!within)
    return refuse("set dimensions " + toText(shape) + " of " + name + " do not satisfy profile " +
                  std::to_string(mProfile) + ": " + toText(ends[0]) + " to " + toText(ends[2]));
  if (mShapes.count(name) == 0 || mShapes[name] != shape) {
    // Nowhere promised: memory of the context's own, which follows from its shapes, may be in use.
    if (mRunning->queued > 0 || mRunning->now) undefined("an execution context was reshaped before its work was done");
    mPrepared = false;
  }
  mShapes[name] = shape;
  return true;
}

nvinfer1::Dims Context::getTensorShape(char const* name) const noexcept {
  Exclusive const exclusive(mInUse);
  Tensor const* const tensor = mEngine.model->find(name);
  if (!tensor) return {-1, {}};
  auto const known = mShapes.find(name);
  if (known != mShapes.end()) return toDims(known->second);
  Shapes shapes;
  return resolve(shapes).empty() ? toDims(shapes.at(name)) : toDims(tensor->shape);
}

bool Context::setTensorAddress(char const* name, void* data) noexcept {
  Exclusive const exclusive(mInUse);
  if (!mEngine.model->find(name))
    return error(mEngine.logger, "IExecutionContext::setTensorAddress", std::string("there is no tensor ") + name);
  mAddresses[name] = data;
  return true;
}

void Context::setDeviceMemoryV2(void* memory, int64_t bytes) noexcept {
  Exclusive const exclusive(mInUse);
  mActivations = memory;
  mActivationBytes = bytes;
}

std::string Context::resolve(Shapes& shapes) const {
  shapes = mShapes;
  for (Tensor const& input : mEngine.model->inputs)
    if (shapes.count(input.name) == 0) return "the shape of input " + input.name + " is not set";
  return mEngine.model->infer(shapes);
}

std::string Context::check(Tensor const& tensor, Binding const& binding) const {
  if (binding.data == nullptr) return "address is not set for tensor " + tensor.name;
  if (reinterpret_cast<uintptr_t>(binding.data) % 256 != 0)
    return "the address of tensor " + tensor.name + " is not aligned to 256 bytes";
  if (!tensor.aliasOf.empty() && binding.data != mAddresses.at(tensor.aliasOf))
    return "output " + tensor.name + " is not bound at the address of input " + tensor.aliasOf;
  if (!tensor.host) return "";
  if (inDeviceMemory(binding.data, 0)) undefined("a tensor that is read on the host was bound to device memory");
  return "";
}

std::string Context::bind(Bindings& bindings) const {
  Shapes shapes;
  std::string const unknown = resolve(shapes);
  if (!unknown.empty()) return unknown;
  for (auto const* list : {&mEngine.model->inputs, &mEngine.model->outputs})
    for (Tensor const& tensor : *list) {
      auto const address = mAddresses.find(tensor.name);
      bindings[tensor.name] = {address == mAddresses.end() ? nullptr : address->second, shapes.at(tensor.name)};
      std::string const wrong = check(tensor, bindings[tensor.name]);
      if (!wrong.empty()) return wrong;
    }
  int64_t const needed = mEngine.getDeviceMemorySizeForProfileV2(mProfile);
  bool const enough = needed == 0 || (mActivations != nullptr && mActivationBytes >= needed);
  return enough ? "" : "device memory of " + std::to_string(needed) + " bytes is not set";
}

bool Context::prepare(cudaStream_t stream) {
  auto const refuse = [&](std::string const& why) { return error(mEngine.logger, "IExecutionContext::enqueueV3", why); };
  if (isCapturing(stream) && !mEngine.model->behaviour.capturable) {
    cudaStreamSynchronize(stream);
    return refuse("CUDA error 900 (operation not permitted when stream is capturing) in a loop's condition");
  }
  if (mPrepared) return true;
  // The first work of a shape allocates.
  if (forbiddenByCapture() != cudaSuccess || isCapturing(stream))
    return refuse("CUDA error 900 (operation not permitted when stream is capturing) in deferred initialisation");
  return mPrepared = true;
}

bool Context::enqueueV3(cudaStream_t stream) noexcept {
  Exclusive const exclusive(mInUse);
  if (currentDevice() != mEngine.device || deviceOf(stream) != mEngine.device)
    undefined("an engine was run while another device than its own was the thread's");
  Bindings bindings;
  std::string wrong = bind(bindings);
  auto const failure = mEngine.model->behaviour.failures.find("enqueue");
  if (wrong.empty() && failure != mEngine.model->behaviour.failures.end()) wrong = failure->second;
  if (!wrong.empty()) return error(mEngine.logger, "IExecutionContext::enqueueV3", wrong);
  if (!prepare(stream)) return false;
  Inference inference{mEngine.model, mRunning, bindings, {}, mActivations, static_cast<size_t>(mActivationBytes)};
  for (Tensor const& input : mEngine.model->inputs) {
    auto const* bytes = static_cast<char const*>(bindings[input.name].data);
    if (input.host) inference.hostInputs[input.name].assign(bytes, bytes + bytesOf(input.type, bindings[input.name].shape));
  }
  if (isCapturing(stream)) return launch(stream, inference) == cudaSuccess;
  ++mRunning->queued;
  bool const queued = launch(stream, [inference, running = mRunning]() mutable {
                        cudaError_t const error = inference();
                        --running->queued;
                        return error;
                      }) == cudaSuccess;
  if (!queued) --mRunning->queued;
  return queued;
}

}  // namespace fake
