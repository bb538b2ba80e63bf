/// The part of TensorRT's ONNX parser that the addon uses. Our own text; see ../README.md.
#pragma once

#include <cstddef>

#include "NvInfer.h"

#define NV_ONNX_PARSER_MAJOR 0
#define NV_ONNX_PARSER_MINOR 1
#define NV_ONNX_PARSER_PATCH 0
static constexpr int32_t NV_ONNX_PARSER_VERSION =
    (NV_ONNX_PARSER_MAJOR * 10000) + (NV_ONNX_PARSER_MINOR * 100) + NV_ONNX_PARSER_PATCH;

namespace nvonnxparser {

class IParserError {
public:
  virtual char const* desc() const = 0;
  virtual char const* nodeName() const = 0;
  virtual char const* nodeOperator() const = 0;

protected:
  virtual ~IParserError() {}
};

class IParser {
public:
  virtual bool parseFromFile(char const* onnxModelFile, int verbosity) noexcept = 0;
  virtual int getNbErrors() const noexcept = 0;
  virtual IParserError const* getError(int index) const noexcept = 0;
  virtual ~IParser() noexcept = default;
};

}  // namespace nvonnxparser

extern "C" void* createNvOnnxParser_INTERNAL(void* network, void* logger, int version) noexcept;
extern "C" int getNvOnnxParserVersion() noexcept;
