#include "network.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "arguments.h"
#include "devices.h"
#include "dims.h"
#include "dtype.h"
#include "environment.h"
#include "libraries.h"

using namespace nvinfer1;

namespace {

/** The parser's first errors (a graph of unknown operators has one for each), with the node that it stumbled
 * at. */
std::string complaints(const nvonnxparser::IParser& parser) {
  constexpr int kTold = 4;
  std::string text;
  for (int i = 0; i < parser.getNbErrors(); i++) {
    if (i == kTold) return text + "; and " + std::to_string(parser.getNbErrors() - kTold) + " more";
    const nvonnxparser::IParserError& error = *parser.getError(i);
    text += (i == 0 ? ": " : "; ") + std::string(error.desc());
    // of an error that is no node's they are null or empty
    const char* node = error.nodeName();
    const char* type = error.nodeOperator();
    if (node && *node && type) text += " (at node " + quoted(node) + ", a " + type + ")";
  }
  return text;
}

/** TensorRT's own switch to parse on a machine without a driver. */
bool parsesWithoutGpu() {
  const char* options = std::getenv("TRT_INTERNAL_OPTIONS");
  return options && std::strstr(options, "--cpu_only=1");
}

Napi::Object toObject(Napi::Env env, const ITensor& tensor) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", tensor.getName());
  object.Set("dtype", nameOf(tensor.getType()));
  object.Set("dims", toArray(env, tensor.getDimensions()));
  return object;
}

}  // namespace

Network parse(const std::string& onnx, const Conversation& conversation) {
  if (access(onnx.c_str(), R_OK) != 0) {
    throw misuse("the file " + quoted(onnx) + " cannot be read: " + std::strerror(errno));
  }
  const Libraries& found = libraries();
  Network network;
  network.builder.reset(static_cast<IBuilder*>(found.createBuilder(&logger(), NV_TENSORRT_VERSION)));
  if (!network.builder) throw conversation.failure("TensorRT could not make a builder");
  network.definition.reset(network.builder->createNetworkV2(0));
  if (!network.definition) throw conversation.failure("TensorRT could not make a network");
  network.parser.reset(static_cast<nvonnxparser::IParser*>(
      found.createParser(network.definition.get(), &logger(), NV_ONNX_PARSER_VERSION)));
  if (!network.parser) throw conversation.failure("TensorRT could not make a parser");
  if (!network.parser->parseFromFile(onnx.c_str(), static_cast<int>(ILogger::Severity::kWARNING))) {
    const std::string reasons = complaints(*network.parser);
    const std::string sentence = "TensorRT's parser does not take " + quoted(onnx);
    if (reasons.empty()) throw conversation.failure(sentence);
    throw Failure(Code::kTensorrt, sentence + reasons);
  }
  return network;
}

Napi::Value inspect(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string onnx = text(info[0], "onnx");
  if (!parsesWithoutGpu()) findDevices();
  const Conversation conversation(&Environment::of(env));
  const Network network = parse(onnx, conversation);
  const INetworkDefinition& definition = *network.definition;
  Napi::Array inputs = Napi::Array::New(env);
  for (int32_t i = 0; i < definition.getNbInputs(); i++) {
    inputs.Set(static_cast<uint32_t>(i), toObject(env, *definition.getInput(i)));
  }
  Napi::Array outputs = Napi::Array::New(env);
  for (int32_t i = 0; i < definition.getNbOutputs(); i++) {
    outputs.Set(static_cast<uint32_t>(i), toObject(env, *definition.getOutput(i)));
  }
  Napi::Object summary = Napi::Object::New(env);
  summary.Set("layers", definition.getNbLayers());
  summary.Set("inputs", inputs);
  summary.Set("outputs", outputs);
  return summary;
}
