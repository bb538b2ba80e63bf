#include "stream.h"

struct CUgraph_st {
  fake::Counted counted{fake::Kind::kGraph};
  std::vector<fake::Work> work;
};

struct CUgraphExec_st {
  fake::Counted counted{fake::Kind::kGraphExec};
  std::shared_ptr<std::vector<fake::Work>> work;
};

namespace fake {
namespace {

Handles<CUgraph_st>& graphs = *new Handles<CUgraph_st>;
Handles<CUgraphExec_st>& execs = *new Handles<CUgraphExec_st>;

}  // namespace
}  // namespace fake

using namespace fake;

extern "C" {

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  *graph = nullptr;
  if (cudaError_t error = enter(__func__)) return error;
  auto const stream = streams().find(handle);
  if (!stream) return fail(cudaErrorInvalidResourceHandle);
  auto const capture = stream->capture;
  if (!capture) return fail(cudaErrorIllegalState);
  bool const foreign = capture->thread != std::this_thread::get_id();
  if (foreign && capture->mode != cudaStreamCaptureModeRelaxed) {
    capture->invalid = true;
    return fail(cudaErrorStreamCaptureWrongThread);
  }
  stream->capture = nullptr;
  if (capture->invalid) return fail(cudaErrorStreamCaptureInvalidated);
  auto made = std::make_shared<CUgraph_st>();
  made->work = capture->work;
  *graph = graphs.add(std::move(made));
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* handle, cudaGraph_t graphHandle, unsigned long long) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const graph = graphs.find(graphHandle);
  if (!graph) return fail(cudaErrorInvalidValue);
  auto made = std::make_shared<CUgraphExec_st>();
  made->work = std::make_shared<std::vector<Work>>(graph->work);
  *handle = execs.add(std::move(made));
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
  if (cudaError_t error = enter(__func__)) return error;
  auto const exec = execs.find(handle);
  if (!exec) return fail(cudaErrorInvalidValue);
  return launch(stream, [work = exec->work] {
    for (auto const& step : *work)
      if (cudaError_t error = step()) return error;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  return execs.remove(handle) ? cudaSuccess : fail(cudaErrorInvalidValue);
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  if (cudaError_t error = enter(__func__)) return error;
  return graphs.remove(handle) ? cudaSuccess : fail(cudaErrorInvalidValue);
}

}  // extern "C"
