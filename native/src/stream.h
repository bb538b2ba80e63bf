/** Streams: work in order on the GPU. Never the default stream. */
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda.h"
#include "resource.h"

/** A CUDA stream and what is being recorded on it. */
class StreamHandle {
 public:
  StreamHandle();
  ~StreamHandle();
  StreamHandle(const StreamHandle&) = delete;
  StreamHandle& operator=(const StreamHandle&) = delete;

  cudaStream_t get() const { return stream_; }

  bool capturing() const { return capturing_; }
  void beginCapture();
  /** Null if something could not be recorded. `kept` gets all that the recorded work uses. */
  cudaGraphExec_t endCapture(std::vector<std::shared_ptr<void>>& kept);
  /** Ends a capture whose result nobody can ask for any more. */
  void abandonCapture() noexcept;
  /** While capturing: the graph will keep what its work uses. */
  void keep(std::shared_ptr<void> used);
  /** While capturing: what was asked for cannot be recorded, endCapture() will say so. */
  void spoilCapture() { spoilt_ = true; }
  /** Throws unless the call succeeded; while capturing, one that cannot be recorded only spoils the capture. */
  void checkCall(cudaError_t status, const char* call);

  /** Waits for all work; not while capturing. */
  void synchronize();

 private:
  cudaStream_t stream_ = nullptr;
  bool capturing_ = false;
  bool spoilt_ = false;
  std::vector<std::shared_ptr<void>> kept_;
};

/** The streams on which something runs: it must not end before they are done. */
class Running {
 public:
  void on(const std::shared_ptr<StreamHandle>& stream);
  /** Waits. A failure of the work is left for the stream's next call to report. */
  void wait() noexcept;

 private:
  std::vector<std::shared_ptr<StreamHandle>> streams_;
};

class Stream final : public Resource<Stream, StreamHandle> {
 public:
  static constexpr const char* kName = "Stream";
  static constexpr uint64_t kTag = 3;
  static Napi::Function define(Napi::Env env);
  explicit Stream(const Napi::CallbackInfo& info);
  ~Stream() override;

 private:
  friend class Resource<Stream, StreamHandle>;
  Napi::Value upload(const Napi::CallbackInfo& info);
  Napi::Value download(const Napi::CallbackInfo& info);
  Napi::Value copy(const Napi::CallbackInfo& info);
  Napi::Value fill(const Napi::CallbackInfo& info);
  Napi::Value record(const Napi::CallbackInfo& info);
  Napi::Value wait(const Napi::CallbackInfo& info);
  Napi::Value beginCapture(const Napi::CallbackInfo& info);
  Napi::Value endCapture(const Napi::CallbackInfo& info);
  Napi::Value synchronize(const Napi::CallbackInfo& info);
  /** The capture is this object's: only it can end it, while a context that ran here keeps the handle. */
  void release() override;

  /** Copies in the stream's order from a Source to a Target (classes of buffers). */
  template <class Target, class Source>
  Napi::Value transfer(const Napi::CallbackInfo& info, cudaMemcpyKind kind);
};
