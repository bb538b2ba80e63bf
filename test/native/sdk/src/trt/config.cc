#include "config.h"

#include <sstream>

#include "../cuda/device.h"
#include "log.h"

namespace fake {
namespace {

constexpr char kMagic[] = "stand-in-timings";

}  // namespace

bool ProfileDescription::setDimensions(char const* name, nvinfer1::OptProfileSelector which,
                                       nvinfer1::Dims const& dims) noexcept {
  if (dims.nbDims < 0 || dims.nbDims > nvinfer1::Dims::MAX_DIMS) return false;
  for (int64_t const size : fromDims(dims))
    if (size < 0) return false;
  shapes[name][static_cast<size_t>(which)] = fromDims(dims);
  return true;
}

bool ProfileDescription::isValid() const noexcept {
  for (auto const& [name, ends] : shapes) {
    if (ends[0].size() != ends[1].size() || ends[1].size() != ends[2].size()) return false;
    for (size_t i = 0; i < ends[0].size(); i++)
      if (ends[0][i] > ends[1][i] || ends[1][i] > ends[2][i]) return false;
  }
  return true;
}

TimingCache::TimingCache(std::string const& bytes, int device) : sm(device) {
  std::istringstream in(bytes);
  std::string word;
  in >> word >> sm;
  while (in >> word) known.insert(word);
}

nvinfer1::IHostMemory* TimingCache::serialize() const noexcept {
  std::ostringstream out;
  out << kMagic << ' ' << sm;
  for (std::string const& entry : known) out << ' ' << entry;
  return new HostBlob(out.str());
}

Config::Config(nvinfer1::ILogger& logger, std::shared_ptr<std::atomic<int>> siblings)
    : mLogger(logger), mSiblings(std::move(siblings)) {
  ++*mSiblings;
}

int32_t Config::addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) noexcept {
  if (!profile->isValid()) {
    error(mLogger, "IBuilderConfig::addOptimizationProfile", "profile is not valid: min <= opt <= max does not hold");
    return -1;
  }
  profiles.push_back(static_cast<ProfileDescription const*>(profile)->shapes);
  return static_cast<int32_t>(profiles.size()) - 1;
}

nvinfer1::ITimingCache* Config::createTimingCache(void const* blob, std::size_t size) const noexcept {
  std::string const bytes(static_cast<char const*>(blob), size);
  if (size > 0 && bytes.rfind(kMagic, 0) != 0) {
    error(mLogger, "IBuilderConfig::createTimingCache", "the blob is not a timing cache");
    return nullptr;
  }
  return new TimingCache(bytes, computeCapability(currentDevice()));
}

bool Config::setTimingCache(nvinfer1::ITimingCache const& cache, bool ignoreMismatch) noexcept {
  auto const& wanted = static_cast<TimingCache const&>(cache);
  int const sm = computeCapability(currentDevice());
  if (wanted.sm != sm && !ignoreMismatch)
    return error(mLogger, "IBuilderConfig::setTimingCache", "the timing cache is of another device");
  timing = &wanted;
  return true;
}

}  // namespace fake
