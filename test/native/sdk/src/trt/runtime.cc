#include "../cuda/device.h"
#include "engine.h"
#include "log.h"

namespace fake {
namespace {

constexpr char kWhere[] = "IRuntime::deserializeCudaEngine";

class Runtime : public nvinfer1::IRuntime {
public:
  explicit Runtime(nvinfer1::ILogger& logger) : mLogger(logger) {}
  ~Runtime() noexcept override {
    if (*mEngines > 0) undefined("a runtime was destroyed before its engines");
  }
  nvinfer1::ICudaEngine* deserializeCudaEngine(void const* blob, std::size_t size) noexcept override {
    // The real library gives a runtime without a driver, and crashes when it is used.
    if (!hasDevice()) undefined("a runtime was used where CUDA cannot be: ask the driver before");
    Plan plan;
    std::string_view saved;
    if (!readPlan({static_cast<char const*>(blob), size}, plan, saved))
      return refuse("the plan's magic tag does not match: it is damaged or no plan");
    if (plan.version != versionText())
      return refuse("version tag does not match: current " + versionText() + ", serialized " + plan.version);
    int const sm = computeCapability(currentDevice());
    if (plan.sm != sm)
      return refuse("engine plan file is generated on an incompatible device, expecting compute " +
                    std::to_string(sm) + " got compute " + std::to_string(plan.sm) + ", please rebuild");
    auto const model = load(saved);
    if (!model) return refuse("the plan's network cannot be read");
    auto const failure = model->behaviour.failures.find("deserialize");
    if (failure != model->behaviour.failures.end()) return refuse(failure->second);
    void* weights = nullptr;
    if (cudaError_t failed = cudaMalloc(&weights, static_cast<size_t>(model->behaviour.weightBytes)))
      return refuse(std::string(cudaGetErrorString(failed)) + ": requested size was " +
                    std::to_string(model->behaviour.weightBytes) + " bytes");
    return new Engine(mLogger, mEngines, plan, model, weights);
  }

private:
  nvinfer1::ICudaEngine* refuse(std::string const& why) {
    error(mLogger, kWhere, why);
    return nullptr;
  }

  Counted mCounted{Kind::kRuntime};
  nvinfer1::ILogger& mLogger;
  std::shared_ptr<std::atomic<int>> mEngines = std::make_shared<std::atomic<int>>(0);
};

}  // namespace
}  // namespace fake

extern "C" void* createInferRuntime_INTERNAL(void* logger, int32_t version) noexcept {
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  if (version / 10000 != fake::version(0)) {
    fake::error(log, "createInferRuntime", "the headers' version does not match the library's " + fake::versionText());
    return nullptr;
  }
  return static_cast<nvinfer1::IRuntime*>(new fake::Runtime(log));
}
