#include "builder.h"

#include <sys/stat.h>

#include <chrono>
#include <memory>

#include "dims.h"
#include "files.h"
#include "network.h"

using namespace nvinfer1;

namespace {

class PlanWriter final : public IStreamWriter {
 public:
  explicit PlanWriter(AtomicFile& file) : file_(file) {}
  /** A short answer makes the build fail; the file remembers why. */
  int64_t write(const void* data, int64_t bytes) noexcept override {
    return file_.write(data, static_cast<size_t>(bytes)) ? bytes : -1;
  }

 private:
  AtomicFile& file_;
};

/** Refuses what TensorRT would refuse later and with fewer words: unknown and missing inputs, other ranks. */
void checkProfile(const Profile& profile, const std::string& name, const INetworkDefinition& network) {
  std::map<std::string, Dims> inputs;
  std::string names;
  for (int32_t i = 0; i < network.getNbInputs(); i++) {
    const ITensor& input = *network.getInput(i);
    inputs[input.getName()] = input.getDimensions();
    names += (i ? ", " : "") + std::string(input.getName());
    if (isOpen(input.getDimensions()) && !profile.count(input.getName())) {
      throw misuse(name + " lacks input " + quoted(input.getName()) +
                   ", whose size is open: " + toText(input.getDimensions()));
    }
  }
  for (const auto& [input, range] : profile) {
    const auto found = inputs.find(input);
    if (found == inputs.end()) {
      throw misuse(name + " is for an input " + quoted(input) + " that the network lacks: it has " + names);
    }
    const int32_t rank = found->second.nbDims;
    if (range.min.nbDims != rank || range.opt.nbDims != rank || range.max.nbDims != rank) {
      throw misuse(name + " gives input " + quoted(input) + " another number of dimensions than " +
                   toText(found->second));
    }
    for (int32_t i = 0; i < rank; i++) {
      if (range.min.d[i] <= range.opt.d[i] && range.opt.d[i] <= range.max.d[i]) continue;
      throw misuse(name + " is not ordered for input " + quoted(input) + ": min " + toText(range.min) +
                   ", opt " + toText(range.opt) + ", max " + toText(range.max));
    }
  }
}

void addProfile(const Profile& profile, const std::string& name, IBuilder& builder, IBuilderConfig& config,
                const Conversation& conversation) {
  // the builder owns it
  IOptimizationProfile* added = builder.createOptimizationProfile();
  if (!added) throw conversation.failure("TensorRT could not make " + name);
  for (const auto& [input, range] : profile) {
    const bool taken = added->setDimensions(input.c_str(), OptProfileSelector::kMIN, range.min) &&
                       added->setDimensions(input.c_str(), OptProfileSelector::kOPT, range.opt) &&
                       added->setDimensions(input.c_str(), OptProfileSelector::kMAX, range.max);
    if (!taken) {
      throw conversation.failure("TensorRT does not take " + toText(range.min) + ", " + toText(range.opt) +
                                 ", " + toText(range.max) + " for input " + quoted(input) + " in " + name);
    }
  }
  if (!added->isValid() || config.addOptimizationProfile(added) < 0) {
    throw conversation.failure("TensorRT does not take " + name);
  }
}

void addProfiles(const BuildOptions& options, const Network& network, IBuilderConfig& config,
                 const Conversation& conversation) {
  if (options.profiles.empty()) checkProfile({}, "the empty list of profiles", *network.definition);
  for (size_t i = 0; i < options.profiles.size(); i++) {
    const std::string name = "profile " + std::to_string(i);
    checkProfile(options.profiles[i], name, *network.definition);
    addProfile(options.profiles[i], name, *network.builder, config, conversation);
  }
}

/** The timings of earlier builds, or an empty cache if there are none or they are another GPU's. */
std::unique_ptr<ITimingCache> useTimingCache(const std::string& path, IBuilderConfig& config,
                                             const void* owner) {
  // a refused cache is no failure of the build, so its errors are kept apart
  const Conversation conversation(owner);
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && status.st_size > 0) {
    const MappedFile file(path);
    std::unique_ptr<ITimingCache> cache(config.createTimingCache(file.data(), file.bytes()));
    if (cache && config.setTimingCache(*cache, false)) return cache;
  }
  std::unique_ptr<ITimingCache> cache(config.createTimingCache(nullptr, 0));
  if (!cache || !config.setTimingCache(*cache, false))
    throw conversation.failure("TensorRT could not make a timing cache");
  return cache;
}

void writeTimingCache(const std::string& path, const IBuilderConfig& config,
                      const Conversation& conversation) {
  const std::unique_ptr<IHostMemory> timings(config.getTimingCache()->serialize());
  if (!timings) throw conversation.failure("TensorRT could not serialise its timing cache");
  AtomicFile file(path);
  file.write(timings->data(), timings->size());
  file.commit();
}

}  // namespace

BuildReport build(const BuildOptions& options, ProgressMonitor& progress, const void* owner) {
  const auto start = std::chrono::steady_clock::now();
  const Conversation conversation(owner);
  const Network network = parse(options.onnx, conversation);
  // before the configuration, which it must outlive
  std::unique_ptr<ITimingCache> timingCache;
  const std::unique_ptr<IBuilderConfig> config(network.builder->createBuilderConfig());
  if (!config) throw conversation.failure("TensorRT could not make a configuration");
  if (options.tf32) {
    config->setFlag(BuilderFlag::kTF32);
  } else {
    config->clearFlag(BuilderFlag::kTF32);
  }
  if (options.workspaceBytes) config->setMemoryPoolLimit(MemoryPoolType::kWORKSPACE, *options.workspaceBytes);
  if (options.optimizationLevel) config->setBuilderOptimizationLevel(*options.optimizationLevel);
  if (options.timingCache) timingCache = useTimingCache(*options.timingCache, *config, owner);
  addProfiles(options, network, *config, conversation);
  config->setProgressMonitor(&progress);

  AtomicFile plan(options.plan);
  PlanWriter writer(plan);
  const bool built = !progress.cancelled() &&
                     network.builder->buildSerializedNetworkToStream(*network.definition, *config, writer);
  if (progress.cancelled())
    throw Failure(Code::kCancelled, "the build of " + quoted(options.plan) + " was cancelled");
  if (!plan.error().empty()) throw Failure(Code::kTensorrt, plan.error());
  if (!built) throw conversation.failure("TensorRT could not build " + quoted(options.onnx));
  if (options.timingCache) writeTimingCache(*options.timingCache, *config, conversation);
  plan.commit();

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {plan.bytes(), network.definition->getNbLayers(), elapsed.count()};
}
