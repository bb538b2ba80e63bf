#include "context.h"
#include "dims.h"
#include "dtype.h"

using namespace nvinfer1;

namespace {

/** Whether a shape lies within what a profile allows. */
bool fits(const Dims& dims, const Range& range) {
  if (dims.nbDims != range.min.nbDims) return false;
  for (int32_t i = 0; i < dims.nbDims; i++) {
    if (dims.d[i] < range.min.d[i] || dims.d[i] > range.max.d[i]) return false;
  }
  return true;
}

}  // namespace

ContextHandle::Use::Use(ContextHandle& context) : context_(context) {
  if (context.inUse_.test_and_set(std::memory_order_acquire)) {
    throw misuse("the context is in use by another call: a context serves one at a time");
  }
}

ContextHandle::ContextHandle(std::shared_ptr<EngineHandle> engine, int32_t profile, StreamHandle& stream,
                             std::shared_ptr<DeviceMemory> activations)
    : engine_(std::move(engine)), profile_(profile), activations_(std::move(activations)) {
  if (stream.capturing()) throw misuse("a context cannot be made with a stream that is being captured");
  const size_t needed = engine_->activationBytes(profile);
  if (activations_ && activations_->bytes() < needed) {
    throw misuse("profile " + std::to_string(profile) + " needs " + std::to_string(needed) +
                 " bytes of activations, but the buffer has only " + std::to_string(activations_->bytes()));
  }
  const Conversation conversation(engine_->owner());
  const RelaxedCapture relaxed;
  context_.reset(engine_->get().createExecutionContext(ExecutionContextAllocationStrategy::kUSER_MANAGED));
  if (!context_) throw conversation.failure("TensorRT could not make a context");
  if (!context_->setOptimizationProfileAsync(profile, stream.get())) {
    throw conversation.failure("TensorRT could not select profile " + std::to_string(profile));
  }
  // ours rather than TensorRT's, so that it is of this profile's size and a failure tells the numbers; after the
  // profile, because its size is checked against the selected one
  if (!activations_ && needed > 0) activations_ = std::make_shared<DeviceMemory>(needed);
  if (activations_) {
    context_->setDeviceMemoryV2(activations_->at(0), static_cast<int64_t>(activations_->bytes()));
  }
  // the work may be enqueued on any stream, and must see the profile
  stream.synchronize();
}

ContextHandle::~ContextHandle() {
  const RelaxedCapture relaxed;
  running_.wait();
  context_.reset();
  activations_.reset();
}

void ContextHandle::setShape(const std::string& input, const Dims& dims) {
  const Use use(*this);
  const EngineTensor& tensor = engine_->tensor(input);
  if (!tensor.input) throw misuse(quoted(input) + " is an output: its shape follows from the inputs'");
  const Range& range = tensor.profiles.at(static_cast<size_t>(profile_));
  if (!fits(dims, range)) {
    throw misuse("input " + quoted(input) + " cannot be " + toText(dims) + ": profile " +
                 std::to_string(profile_) + " allows " + toText(range.min) + " to " + toText(range.max));
  }
  if (shaped_.count(input) && areEqual(context_->getTensorShape(input.c_str()), dims)) return;
  const Conversation conversation(engine_->owner());
  checked_ = false;
  settled_ = false;
  if (!context_->setInputShape(input.c_str(), dims)) {
    throw conversation.failure("TensorRT does not take the shape " + toText(dims) + " for input " +
                               quoted(input));
  }
  shaped_.insert(input);
}

Dims ContextHandle::shape(const std::string& name) {
  const Use use(*this);
  const EngineTensor& tensor = engine_->tensor(name);
  if (!tensor.input) checkShapes();
  const Dims dims = context_->getTensorShape(tensor.name.c_str());
  if (dims.nbDims >= 0 && !isOpen(dims)) return dims;
  if (tensor.input) throw misuse("input " + quoted(name) + " has no shape yet: call setShape() first");
  throw misuse("the shape of output " + quoted(name) + " depends on data, which the addon does not support");
}

void ContextHandle::setAddress(const std::string& name, std::shared_ptr<Memory> memory, size_t offset,
                               bool onDevice) {
  const Use use(*this);
  const EngineTensor& tensor = engine_->tensor(name);
  if (!tensor.aliasOf.empty()) {
    throw misuse("output " + quoted(name) + " is bound with its input " + quoted(tensor.aliasOf) +
                 ": bind that one");
  }
  if (tensor.host && onDevice) {
    throw misuse(quoted(name) + " is read in host memory: bind a PinnedBuffer");
  }
  if (offset % 256 != 0) {
    throw misuse("the offset of " + quoted(name) + " must be a multiple of 256, not " +
                 std::to_string(offset));
  }
  if (offset >= memory->bytes()) {
    throw misuse("the offset of " + quoted(name) + ", " + std::to_string(offset) +
                 ", lies outside of the buffer's " + std::to_string(memory->bytes()) + " bytes");
  }
  const Binding binding{memory, memory->bytes() - offset};
  checked_ = false;
  bind(name, binding, offset);
  for (const EngineTensor& other : engine_->tensors()) {
    if (other.aliasOf == name) bind(other.name, binding, offset);
  }
}

void ContextHandle::bind(const std::string& tensor, const Binding& binding, size_t offset) {
  const Conversation conversation(engine_->owner());
  if (!context_->setTensorAddress(tensor.c_str(), binding.memory->at(offset))) {
    throw conversation.failure("TensorRT does not take the address for " + quoted(tensor));
  }
  bindings_[tensor] = binding;
}

void ContextHandle::enqueue(const std::shared_ptr<StreamHandle>& stream) {
  const Use use(*this);
  if (!checked_) {
    checkShapes();
    checkBindings();
    checked_ = true;
  }
  if (stream->capturing() && !settled_) {
    throw misuse("the context has not run since its shapes were set: enqueue it once before it is captured");
  }
  const Conversation conversation(engine_->owner());
  const bool enqueued = context_->enqueueV3(stream->get());
  if (stream->capturing()) {
    if (!enqueued) return stream->spoilCapture();
    stream->keep(shared_from_this());
    for (const auto& [name, binding] : bindings_) stream->keep(binding.memory);
    return;
  }
  running_.on(stream);
  if (!enqueued) throw conversation.failure("TensorRT could not enqueue the work");
  settled_ = true;
}

void ContextHandle::checkShapes() const {
  for (const EngineTensor& tensor : engine_->tensors()) {
    if (tensor.input && isOpen(tensor.dims) && !shaped_.count(tensor.name)) {
      throw misuse("input " + quoted(tensor.name) + " has no shape yet: call setShape() first");
    }
  }
}

void ContextHandle::checkBindings() const {
  for (const EngineTensor& tensor : engine_->tensors()) {
    const auto found = bindings_.find(tensor.name);
    if (found == bindings_.end())
      throw misuse(quoted(tensor.name) + " has no address: call setAddress() first");
    const Dims dims = context_->getTensorShape(tensor.name.c_str());
    if (dims.nbDims < 0 || isOpen(dims)) {
      throw misuse("the shape of " + quoted(tensor.name) +
                   " depends on data, which the addon does not support");
    }
    const size_t bytes = bytesOf(dims, tensor.type);
    if (bytes > found->second.room) {
      throw misuse(quoted(tensor.name) + " of " + toText(dims) + " needs " + std::to_string(bytes) +
                   " bytes, but from its offset the buffer has only " + std::to_string(found->second.room));
    }
  }
}
