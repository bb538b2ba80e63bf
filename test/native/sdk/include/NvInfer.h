/// The part of TensorRT's builder that the addon uses, declared as TensorRT 11 does. Our own text; see ../README.md.
#pragma once

#include "NvInferRuntime.h"

namespace nvinfer1 {

using NetworkDefinitionCreationFlags = uint32_t;

enum class MemoryPoolType : int32_t { kWORKSPACE = 0 };
enum class BuilderFlag : int32_t { kTF32 = 6 };

class ITensor : public INoCopy {
public:
  virtual char const* getName() const noexcept = 0;
  virtual Dims getDimensions() const noexcept = 0;
  virtual DataType getType() const noexcept = 0;

protected:
  virtual ~ITensor() noexcept = default;
};

class INetworkDefinition : public INoCopy {
public:
  virtual ~INetworkDefinition() noexcept = default;
  virtual int32_t getNbLayers() const noexcept = 0;
  virtual int32_t getNbInputs() const noexcept = 0;
  virtual ITensor* getInput(int32_t index) const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual ITensor* getOutput(int32_t index) const noexcept = 0;
};

class IOptimizationProfile : public INoCopy {
public:
  virtual bool setDimensions(char const* inputName, OptProfileSelector select, Dims const& dims) noexcept = 0;
  virtual bool isValid() const noexcept = 0;

protected:
  virtual ~IOptimizationProfile() noexcept = default;
};

class ITimingCache : public INoCopy {
public:
  virtual ~ITimingCache() noexcept = default;
  virtual IHostMemory* serialize() const noexcept = 0;
};

namespace v_1_0 {
class IProgressMonitor : public IVersionedInterface {
public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IProgressMonitor", 1, 0}; }
  virtual void phaseStart(char const* phaseName, char const* parentPhase, int32_t nbSteps) noexcept = 0;
  virtual bool stepComplete(char const* phaseName, int32_t step) noexcept = 0;
  virtual void phaseFinish(char const* phaseName) noexcept = 0;
};
}  // namespace v_1_0
using IProgressMonitor = v_1_0::IProgressMonitor;

class IBuilderConfig : public INoCopy {
public:
  virtual ~IBuilderConfig() noexcept = default;
  virtual void setFlag(BuilderFlag builderFlag) noexcept = 0;
  virtual void clearFlag(BuilderFlag builderFlag) noexcept = 0;
  virtual void setMemoryPoolLimit(MemoryPoolType pool, std::size_t poolSize) noexcept = 0;
  virtual void setBuilderOptimizationLevel(int32_t level) noexcept = 0;
  virtual int32_t addOptimizationProfile(IOptimizationProfile const* profile) noexcept = 0;
  virtual void setProgressMonitor(IProgressMonitor* monitor) noexcept = 0;
  virtual ITimingCache* createTimingCache(void const* blob, std::size_t size) const noexcept = 0;
  virtual bool setTimingCache(ITimingCache const& cache, bool ignoreMismatch) noexcept = 0;
  virtual ITimingCache const* getTimingCache() const noexcept = 0;
};

class IBuilder : public INoCopy {
public:
  virtual ~IBuilder() noexcept = default;
  virtual INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept = 0;
  virtual IBuilderConfig* createBuilderConfig() noexcept = 0;
  virtual IOptimizationProfile* createOptimizationProfile() noexcept = 0;
  virtual bool buildSerializedNetworkToStream(INetworkDefinition& network, IBuilderConfig& config,
                                              IStreamWriter& writer) noexcept = 0;
};

}  // namespace nvinfer1

extern "C" void* createInferBuilder_INTERNAL(void* logger, int32_t version) noexcept;
