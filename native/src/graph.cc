#include "graph.h"

GraphHandle::GraphHandle(cudaGraphExec_t executable, std::vector<std::shared_ptr<void>> kept)
    : executable_(executable), kept_(std::move(kept)) {}

GraphHandle::~GraphHandle() {
  const RelaxedCapture relaxed;
  running_.wait();
  cuda().cudaGraphExecDestroy(executable_);
}

void GraphHandle::launch(const std::shared_ptr<StreamHandle>& stream) {
  if (stream->capturing()) throw misuse("a graph cannot be launched into a stream that is being captured");
  CUDA_CALL(cudaGraphLaunch, executable_, stream->get());
  running_.on(stream);
}

Napi::Function Graph::define(Napi::Env env) {
  return DefineClass(env, kName, {method<&Graph::launch>("launch"), disposeMethod()});
}

Graph::Graph(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] { hold(wrapped(info, "stream.endCapture()")); });
}

Napi::Value Graph::launch(const Napi::CallbackInfo& info) {
  handle()->launch(Stream::of(info[0], "stream"));
  return info.Env().Undefined();
}
