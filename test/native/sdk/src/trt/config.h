#pragma once

#include <set>

#include "network.h"
#include "plan.h"

namespace fake {

class HostBlob : public nvinfer1::IHostMemory {
public:
  explicit HostBlob(std::string bytes) : mBytes(std::move(bytes)) {}
  ~HostBlob() noexcept override = default;
  void* data() const noexcept override { return const_cast<char*>(mBytes.data()); }
  std::size_t size() const noexcept override { return mBytes.size(); }

private:
  Counted mCounted{Kind::kHostBlob};
  std::string mBytes;
};

/// Owned by its builder.
class ProfileDescription : public nvinfer1::IOptimizationProfile {
public:
  ~ProfileDescription() noexcept override = default;
  bool setDimensions(char const* name, nvinfer1::OptProfileSelector which, nvinfer1::Dims const& dims) noexcept override;
  bool isValid() const noexcept override;

  Profile shapes;
};

/// Programs that were timed on a device of one compute capability.
class TimingCache : public nvinfer1::ITimingCache {
public:
  TimingCache(std::string const& bytes, int device);
  ~TimingCache() noexcept override = default;
  nvinfer1::IHostMemory* serialize() const noexcept override;

  int sm;
  mutable std::set<std::string> known;

private:
  Counted mCounted{Kind::kTimingCache};
};

class Config : public nvinfer1::IBuilderConfig {
public:
  Config(nvinfer1::ILogger& logger, std::shared_ptr<std::atomic<int>> siblings);
  ~Config() noexcept override { --*mSiblings; }
  void setFlag(nvinfer1::BuilderFlag) noexcept override { tf32 = true; }
  void clearFlag(nvinfer1::BuilderFlag) noexcept override { tf32 = false; }
  void setMemoryPoolLimit(nvinfer1::MemoryPoolType, std::size_t bytes) noexcept override { workspace = bytes; }
  void setBuilderOptimizationLevel(int32_t wanted) noexcept override { level = wanted; }
  int32_t addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) noexcept override;
  void setProgressMonitor(nvinfer1::IProgressMonitor* wanted) noexcept override { monitor = wanted; }
  nvinfer1::ITimingCache* createTimingCache(void const* blob, std::size_t size) const noexcept override;
  bool setTimingCache(nvinfer1::ITimingCache const& cache, bool ignoreMismatch) noexcept override;
  nvinfer1::ITimingCache const* getTimingCache() const noexcept override { return timing; }

  bool tf32 = true;
  size_t workspace = 0;
  int level = 3;
  std::vector<Profile> profiles;
  nvinfer1::IProgressMonitor* monitor = nullptr;
  TimingCache const* timing = nullptr;

private:
  Counted mCounted{Kind::kConfig};
  nvinfer1::ILogger& mLogger;
  std::shared_ptr<std::atomic<int>> mSiblings;
};

}  // namespace fake
