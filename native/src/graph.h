/** Graphs: work that was recorded from a stream, launched with one call. */
#pragma once

#include <memory>
#include <vector>

#include "cuda.h"
#include "resource.h"
#include "stream.h"

class GraphHandle {
 public:
  /** @param kept contexts, buffers and events of the recorded work, whose addresses are frozen in it */
  GraphHandle(cudaGraphExec_t executable, std::vector<std::shared_ptr<void>> kept);
  ~GraphHandle();
  GraphHandle(const GraphHandle&) = delete;
  GraphHandle& operator=(const GraphHandle&) = delete;

  void launch(const std::shared_ptr<StreamHandle>& stream);

 private:
  cudaGraphExec_t executable_;
  std::vector<std::shared_ptr<void>> kept_;
  Running running_;
};

class Graph final : public Resource<Graph, GraphHandle> {
 public:
  static constexpr const char* kName = "Graph";
  static constexpr uint64_t kTag = 5;
  static Napi::Function define(Napi::Env env);
  explicit Graph(const Napi::CallbackInfo& info);

 private:
  friend class Resource<Graph, GraphHandle>;
  Napi::Value launch(const Napi::CallbackInfo& info);
};
