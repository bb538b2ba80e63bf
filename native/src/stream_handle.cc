#include <algorithm>

#include "stream.h"

namespace {

/** Whether CUDA refuses to record a call, rather than failing at it. */
bool cannotBeRecorded(cudaError_t status) {
  return (status >= cudaErrorStreamCaptureUnsupported && status <= cudaErrorStreamCaptureWrongThread) ||
         status == cudaErrorNotSupported;
}

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { cuda().cudaGraphDestroy(graph); }
};
using OwnedGraph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;

}  // namespace

StreamHandle::StreamHandle() { CUDA_CALL(cudaStreamCreateWithFlags, &stream_, cudaStreamNonBlocking); }

StreamHandle::~StreamHandle() {
  const RelaxedCapture relaxed;
  cuda().cudaStreamDestroy(stream_);
}

void StreamHandle::beginCapture() {
  if (capturing_) throw misuse("the stream is being captured already: call endCapture() first");
  CUDA_CALL(cudaStreamBeginCapture, stream_, cudaStreamCaptureModeThreadLocal);
  capturing_ = true;
  spoilt_ = false;
}

cudaGraphExec_t StreamHandle::endCapture(std::vector<std::shared_ptr<void>>& kept) {
  if (!capturing_) throw misuse("the stream is not being captured: call beginCapture() first");
  cudaGraph_t recorded = nullptr;
  const cudaError_t status = cuda().cudaStreamEndCapture(stream_, &recorded);
  const OwnedGraph graph(recorded);
  capturing_ = false;
  kept.swap(kept_);
  kept_.clear();
  if (spoilt_ || cannotBeRecorded(status)) {
    cuda().cudaGetLastError();
    return nullptr;
  }
  check(status, "cudaStreamEndCapture");
  if (!graph) return nullptr;
  cudaGraphExec_t executable = nullptr;
  const cudaError_t instantiated = cuda().cudaGraphInstantiate(&executable, graph.get(), 0);
  if (cannotBeRecorded(instantiated)) {
    cuda().cudaGetLastError();
    return nullptr;
  }
  check(instantiated, "cudaGraphInstantiate");
  return executable;
}

void StreamHandle::abandonCapture() noexcept {
  if (!capturing_) return;
  cudaGraph_t recorded = nullptr;
  cuda().cudaStreamEndCapture(stream_, &recorded);
  const OwnedGraph unused(recorded);
  cuda().cudaGetLastError();
  capturing_ = false;
  kept_.clear();
}

void StreamHandle::keep(std::shared_ptr<void> used) {
  if (capturing_) kept_.push_back(std::move(used));
}

void StreamHandle::checkCall(cudaError_t status, const char* call) {
  if (!capturing_ || !cannotBeRecorded(status)) return check(status, call);
  cuda().cudaGetLastError();
  spoilCapture();
}

void StreamHandle::synchronize() {
  if (capturing_)
    throw misuse("a stream that is being captured runs nothing to wait for: call endCapture() first");
  CUDA_CALL(cudaStreamSynchronize, stream_);
}

void Running::on(const std::shared_ptr<StreamHandle>& stream) {
  if (std::find(streams_.begin(), streams_.end(), stream) == streams_.end()) streams_.push_back(stream);
}

void Running::wait() noexcept {
  for (const auto& stream : streams_) {
    // waiting for a stream would spoil its capture; what ran before that is waited for by the freeing of its memory
    if (!stream->capturing()) cuda().cudaStreamSynchronize(stream->get());
  }
  streams_.clear();
}
