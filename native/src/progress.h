/** The progress of a build, and its end at the caller's wish. */
#pragma once

#include <NvInfer.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

/** BuildProgress of src/runtime/addon.ts. */
struct Progress {
  std::string phase;
  std::optional<std::string> parent;
  int32_t step;
  int32_t steps;
  bool finished;
};

/** Called by TensorRT on several of its threads. */
class ProgressMonitor final : public nvinfer1::IProgressMonitor {
 public:
  /** @param report called on TensorRT's threads, one at a time */
  explicit ProgressMonitor(std::function<void(const Progress&)> report);

  /** Asks the build to stop at its next step. Any thread. */
  void cancel() noexcept { cancelled_ = true; }
  bool cancelled() const noexcept { return cancelled_; }

  void phaseStart(const char* phase, const char* parent, int32_t steps) noexcept override;
  bool stepComplete(const char* phase, int32_t step) noexcept override;
  void phaseFinish(const char* phase) noexcept override;

 private:
  std::function<void(const Progress&)> report_;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::map<std::string, Progress> phases_;
};
