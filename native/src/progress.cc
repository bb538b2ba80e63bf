#include "progress.h"

#include <utility>

namespace {

/** Nothing may leave a callback of TensorRT: a build whose progress cannot be told is stopped instead. */
template <class Work>
void guarded(std::atomic<bool>& cancelled, Work&& work) noexcept {
  try {
    work();
  } catch (const std::exception&) {
    cancelled = true;
  }
}

}  // namespace

ProgressMonitor::ProgressMonitor(std::function<void(const Progress&)> report) : report_(std::move(report)) {}

void ProgressMonitor::phaseStart(const char* phase, const char* parent, int32_t steps) noexcept {
  guarded(cancelled_, [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto parentName = parent ? std::optional<std::string>(parent) : std::nullopt;
    const Progress progress{phase, parentName, 0, steps, false};
    phases_.insert_or_assign(phase, progress);
    report_(progress);
  });
}

bool ProgressMonitor::stepComplete(const char* phase, int32_t step) noexcept {
  guarded(cancelled_, [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = phases_.find(phase);
    if (found == phases_.end()) return;
    // TensorRT counts steps from 0 and reports each when it is done
    found->second.step = step + 1;
    report_(found->second);
  });
  return !cancelled_;
}

void ProgressMonitor::phaseFinish(const char* phase) noexcept {
  guarded(cancelled_, [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = phases_.find(phase);
    if (found == phases_.end()) return;
    found->second.finished = true;
    report_(found->second);
    phases_.erase(found);
  });
}
