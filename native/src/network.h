/** Networks: what the parser makes of an .onnx file. */
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>
#include <napi.h>

#include <memory>
#include <string>

#include "logger.h"

struct Network {
  // ended in reverse order: the network points into the parser's weights, and both belong to the builder
  std::unique_ptr<nvinfer1::IBuilder> builder;
  std::unique_ptr<nvinfer1::INetworkDefinition> definition;
  std::unique_ptr<nvonnxparser::IParser> parser;
};

/**
 * Parses a file. TensorRT needs a GPU for it (see inspect()).
 * Throws a Failure `misuse` if it cannot be read, else `tensorrt` with the parser's words.
 */
Network parse(const std::string& onnx, const Conversation& conversation);

/** Native.inspect(). */
Napi::Value inspect(const Napi::CallbackInfo& info);
