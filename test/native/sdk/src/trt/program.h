/// The tiny program: a text that stands in for an .onnx file. ../../README.md has its words.
#pragma once

#include "model.h"

namespace fake {

struct Instruction {
  std::string result;
  std::string op;
  std::vector<std::string> args;
};

class Program : public Model {
public:
  static std::shared_ptr<Model const> parse(std::string const& text, ParseFailure& failure);
  std::string save() const override { return mText; }
  std::string infer(Shapes& shapes) const override;
  cudaError_t run(Bindings const& bindings) const override;

private:
  bool readLine(std::vector<std::string> const& words, ParseFailure& failure);
  bool readInput(std::vector<std::string> const& words, ParseFailure& failure);
  bool readInstruction(std::vector<std::string> const& words, ParseFailure& failure);
  bool readOutput(std::string const& name, ParseFailure& failure);
  std::string inferOne(Instruction const& instruction, Shapes& shapes) const;

  std::string mText;
  std::vector<Instruction> mInstructions;
  std::map<std::string, nvinfer1::DataType> mTypes;
};

}  // namespace fake
