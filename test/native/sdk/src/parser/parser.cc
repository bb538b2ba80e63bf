/// libnvonnxparser: one model a parser.
#include <NvOnnxParser.h>

#include "../trt/log.h"
#include "../trt/network.h"

namespace fake {
namespace {

class ParserError : public nvonnxparser::IParserError {
public:
  explicit ParserError(ParseFailure const& failure) : mFailure(failure) {}
  ~ParserError() override = default;
  char const* desc() const override { return mFailure.message.c_str(); }
  char const* nodeName() const override { return mFailure.node.c_str(); }
  char const* nodeOperator() const override { return mFailure.op.c_str(); }

private:
  ParseFailure mFailure;
};

class Parser : public nvonnxparser::IParser {
public:
  Parser(Network& network, nvinfer1::ILogger& logger)
      : mNetwork(network), mLogger(logger), mAlive(network.parserAlive) {}
  ~Parser() noexcept override { *mAlive = false; }
  bool parseFromFile(char const* path, int) noexcept override {
    if (mNetwork.model) undefined("a parser parsed twice");
    ParseFailure failure;
    auto const model = parse(path, failure);
    if (!model) {
      mErrors.push_back(std::make_unique<ParserError>(failure));
      return error(mLogger, "ModelImporter", failure.message);
    }
    mNetwork.fill(model);
    *mAlive = true;
    return true;
  }
  int getNbErrors() const noexcept override { return static_cast<int>(mErrors.size()); }
  nvonnxparser::IParserError const* getError(int index) const noexcept override {
    return mErrors[static_cast<size_t>(index)].get();
  }

private:
  Counted mCounted{Kind::kParser};
  Network& mNetwork;
  nvinfer1::ILogger& mLogger;
  std::shared_ptr<bool> mAlive;
  std::vector<std::unique_ptr<ParserError>> mErrors;
};

}  // namespace
}  // namespace fake

extern "C" void* createNvOnnxParser_INTERNAL(void* network, void* logger, int) noexcept {
  auto* const definition = static_cast<nvinfer1::INetworkDefinition*>(network);
  auto& log = *static_cast<nvinfer1::ILogger*>(logger);
  return static_cast<nvonnxparser::IParser*>(new fake::Parser(static_cast<fake::Network&>(*definition), log));
}

extern "C" int getNvOnnxParserVersion() noexcept { return NV_ONNX_PARSER_VERSION; }
