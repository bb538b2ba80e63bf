#include <chrono>
#include <functional>
#include <thread>

#include "../cuda/device.h"
#include "config.h"
#include "log.h"

namespace fake {
namespace {

using nvinfer1::IProgressMonitor;
constexpr char kWhere[] = "IBuilder::buildSerializedNetworkToStream";
constexpr char kPhase[] = "Building the engine";
/// Bytes that the stream writer gets at a time.
constexpr size_t kChunk = 65536;

/// Walks the phases of a build. False once the monitor asks to stop.
bool walk(Behaviour const& behaviour, int steps, IProgressMonitor* monitor) {
  bool going = true;
  if (monitor) monitor->phaseStart(kPhase, nullptr, steps);
  for (int step = 0; step < steps && going; step++) {
    std::string const phase = "Timing layer " + std::to_string(step);
    std::this_thread::sleep_for(std::chrono::milliseconds(behaviour.stepMilliseconds));
    if (!monitor) continue;
    monitor->phaseStart(phase.c_str(), kPhase, 1);
    going = monitor->stepComplete(phase.c_str(), 0);
    monitor->phaseFinish(phase.c_str());
    going = going && monitor->stepComplete(kPhase, step);
  }
  if (monitor) monitor->phaseFinish(kPhase);
  return going;
}

/// Completes the profiles by the inputs of fixed shape. Empty, or what is wrong.
std::string complete(Model const& model, std::vector<Profile>& profiles) {
  auto const open = [](Tensor const& input) {
    for (int64_t const size : input.shape)
      if (size < 0) return true;
    return false;
  };
  for (Tensor const& input : model.inputs)
    if (open(input) && profiles.empty())
      return "Network has dynamic or shape inputs, but no optimization profile has been defined.";
  if (profiles.empty()) profiles.emplace_back();
  for (size_t i = 0; i < profiles.size(); i++) {
    for (auto const& [name, ends] : profiles[i])
      if (!model.isInput(name)) return "Network has no input " + name + " of optimization profile " + std::to_string(i);
    for (Tensor const& input : model.inputs) {
      if (profiles[i].count(input.name) == 0) {
        if (open(input)) return input.name + ": dynamic input is missing dimensions in profile " + std::to_string(i);
        profiles[i][input.name] = {input.shape, input.shape, input.shape};
      }
      for (Shape const& end : profiles[i][input.name]) {
        bool fits = end.size() == input.shape.size();
        for (size_t axis = 0; fits && axis < end.size(); axis++)
          fits = input.shape[axis] < 0 || input.shape[axis] == end[axis];
        if (!fits) return input.name + ": profile " + std::to_string(i) + " has " + toText(end) + " for " + toText(input.shape);
      }
    }
  }
  return "";
}

class Builder : public nvinfer1::IBuilder {
public:
  explicit Builder(nvinfer1::ILogger& logger) : mLogger(logger) {}
  ~Builder() noexcept override {
    if (*mChildren > 0) undefined("a builder was destroyed before its network or config");
  }
  nvinfer1::INetworkDefinition* createNetworkV2(nvinfer1::NetworkDefinitionCreationFlags) noexcept override {
    return new Network(mChildren);
  }
  nvinfer1::IBuilderConfig* createBuilderConfig() noexcept override { return new Config(mLogger, mChildren); }
  nvinfer1::IOptimizationProfile* createOptimizationProfile() noexcept override {
    mProfiles.push_back(std::make_unique<ProfileDescription>());
    return mProfiles.back().get();
  }
  bool buildSerializedNetworkToStream(nvinfer1::INetworkDefinition& definition, nvinfer1::IBuilderConfig& config,
                                      nvinfer1::IStreamWriter& writer) noexcept override {
    // The phases of a build are reported from TensorRT's own threads.
    int const device = currentDevice();
    bool built = false;
    std::thread thread([&] {
      cudaSetDevice(device);
      built = build(static_cast<Network&>(definition), static_cast<Config&>(config), writer);
    });
    thread.join();
    return built;
  }

private:
  bool build(Network& network, Config& config, nvinfer1::IStreamWriter& writer);

  Counted mCounted{Kind::kBuilder};
  nvinfer1::ILogger& mLogger;
  std::shared_ptr<std::atomic<int>> mChildren = std::make_shared<std::atomic<int>>(0);
  std::vector<std::unique_ptr<ProfileDescription>> mProfiles;
};

bool Builder::build(Network& network, Config& config, nvinfer1::IStreamWriter& writer) {
  if (!network.model) return error(mLogger, kWhere, "the network has no output");
  if (!*network.parserAlive) undefined("the parser was destroyed before the build: its weights are the network's");
  if (withoutDevice()) return error(mLogger, kWhere, "building is not supported in CPU-only mode");
  Model const& model = *network.model;
  Plan plan{versionText(), computeCapability(currentDevice()), config.profiles};
  std::string const saved = model.save();
  std::string const wrong = complete(model, plan.profiles);
  if (!wrong.empty()) return error(mLogger, kWhere, wrong);
  mLogger.log(Severity::kINFO, ("building: tf32 " + std::string(config.tf32 ? "on" : "off") + ", level " +
                                std::to_string(config.level) + ", workspace " + std::to_string(config.workspace))
                                   .c_str());
  std::string const timing = std::to_string(std::hash<std::string>{}(saved));
  bool const timed = config.timing && config.timing->known.count(timing) > 0;
  if (timed) mLogger.log(Severity::kINFO, "building: all timings are in the cache");
  // What is timed already takes a single step.
  if (!walk(model.behaviour, timed ? 1 : model.behaviour.steps, config.monitor))
    return error(mLogger, kWhere, "the build was cancelled by the progress monitor");
  auto const failure = model.behaviour.failures.find("build");
  if (failure != model.behaviour.failures.end()) return error(mLogger, kWhere, failure->second);
  if (config.timing) config.timing->known.insert(timing);
  std::string const head = writePlan(plan, saved);
  for (std::string const* bytes : {&head, &saved})
    for (size_t at = 0; at < bytes->size(); at += kChunk) {
      auto const length = static_cast<int64_t>(std::min(kChunk, bytes->size() - at));
      if (writer.write(bytes->data() + at, length) != length)
        return error(mLogger, kWhere, "the stream writer did not take all bytes");
    }
  return true;
}

}  // namespace
}  // namespace fake

extern "C" void* createInferBuilder_INTERNAL(void* logger, int32_t) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (!fake::withoutDevice() && !fake::hasDevice()) {
    fake::error(log, "createInferBuilder", "CUDA initialization failure with error: 35. Please check your CUDA installation.");
    return nullptr;
  }
  return static_cast<nvinfer1::IBuilder*>(new fake::Builder(log));
}
