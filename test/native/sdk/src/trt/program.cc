#include "program.h"

#include <sstream>

namespace fake {
namespace {

std::vector<std::string> split(std::string const& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

std::string joined(std::vector<std::string> const& words, size_t from) {
  std::string text;
  for (size_t i = from; i < words.size(); i++) text += (i > from ? " " : "") + words[i];
  return text;
}

bool isNumber(std::string const& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

int argumentsOf(std::string const& op) {
  if (op == "copy" || op == "sum") return 1;
  if (op == "add" || op == "mul") return 2;
  return op == "kv_update" ? 3 : -1;
}

}  // namespace

std::shared_ptr<Model const> Program::parse(std::string const& text, ParseFailure& failure) {
  auto program = std::make_shared<Program>();
  program->mText = text;
  for (std::string const& line : split(text, '\n')) {
    auto const words = split(line, ' ');
    if (words.empty() || words[0][0] == '#') continue;
    if (!program->readLine(words, failure)) return nullptr;
  }
  program->layers = static_cast<int>(program->mInstructions.size());
  Shapes shapes;
  for (Tensor const& input : program->inputs) shapes[input.name] = input.shape;
  failure.message = program->infer(shapes);
  if (!failure.message.empty()) return nullptr;
  for (Tensor& output : program->outputs) output.shape = shapes[output.name];
  if (program->outputs.empty()) failure.message = "the network has no output";
  return failure.message.empty() ? program : nullptr;
}

bool Program::readLine(std::vector<std::string> const& words, ParseFailure& failure) {
  std::string const& word = words[0];
  auto const number = [&] { return words.size() > 1 ? std::stoll(words[1]) : 0; };
  if (word == "input") return readInput(words, failure);
  if (word == "output") {
    for (size_t i = 1; i < words.size(); i++)
      if (!readOutput(words[i], failure)) return false;
    return true;
  }
  if (words.size() > 2 && words[1] == "=") return readInstruction(words, failure);
  if (word == "steps") return behaviour.steps = static_cast<int>(number()), true;
  if (word == "slow") return behaviour.stepMilliseconds = static_cast<int>(number()), true;
  if (word == "kernel") return behaviour.kernelMilliseconds = static_cast<int>(number()), true;
  if (word == "weights") return behaviour.weightBytes = number(), true;
  if (word == "activations") return behaviour.activationBytes = number(), true;
  if (word == "gate" && words.size() > 1) return behaviour.gate = words[1], true;
  if (word == "uncapturable") return behaviour.capturable = false, true;
  if (word == "fail" && words.size() > 2 && words[1] == "parse") {
    failure.message = joined(words, 2);
    return false;
  }
  if (word == "fail" && words.size() > 2) return behaviour.failures[words[1]] = joined(words, 2), true;
  failure.message = "not a program and not an ONNX model: " + joined(words, 0).substr(0, 80);
  return false;
}

bool Program::readInput(std::vector<std::string> const& words, ParseFailure& failure) {
  int const type = words.size() > 3 ? typeNamed(words[2]) : -1;
  if (type < 0) {
    failure.message = "input needs a name, a type and sizes: " + joined(words, 0);
    return false;
  }
  Tensor tensor;
  tensor.name = words[1];
  tensor.type = static_cast<nvinfer1::DataType>(type);
  tensor.host = words.size() > 4 && words[4] == "host";
  for (std::string const& size : split(words[3].substr(1, words[3].size() - 2), ',')) {
    tensor.shape.push_back(isNumber(size) ? std::stoll(size) : -1);
    tensor.symbols.push_back(isNumber(size) ? "" : size);
  }
  mTypes[tensor.name] = tensor.type;
  inputs.push_back(tensor);
  return true;
}

bool Program::readInstruction(std::vector<std::string> const& words, ParseFailure& failure) {
  Instruction const instruction{words[0], words[2], {words.begin() + 3, words.end()}};
  failure.node = instruction.result;
  failure.op = instruction.op;
  if (argumentsOf(instruction.op) != static_cast<int>(instruction.args.size())) {
    failure.message = "no importer for this operator with " + std::to_string(instruction.args.size()) + " inputs";
    return false;
  }
  for (std::string const& arg : instruction.args)
    if (mTypes.count(arg) == 0) {
      failure.message = "there is no tensor " + arg;
      return false;
    }
  auto const type = mTypes[instruction.args[0]];
  bool const arithmetic = instruction.op == "add" || instruction.op == "mul" || instruction.op == "sum";
  if (arithmetic && type != nvinfer1::DataType::kFLOAT && type != nvinfer1::DataType::kINT32) {
    failure.message = "only float32 and int32 are computed with";
    return false;
  }
  if (instruction.args.size() > 1 && mTypes[instruction.args[1]] != type) {
    failure.message = "inputs must have the same type";
    return false;
  }
  if (instruction.op == "kv_update" && mTypes[instruction.args[2]] != nvinfer1::DataType::kINT32) {
    failure.message = "write indices must be int32";
    return false;
  }
  mTypes[instruction.result] = type;
  mInstructions.push_back(instruction);
  failure = {};
  return true;
}

bool Program::readOutput(std::string const& name, ParseFailure& failure) {
  for (Instruction const& instruction : mInstructions) {
    if (instruction.result != name) continue;
    Tensor tensor;
    tensor.name = name;
    tensor.type = mTypes[name];
    if (instruction.op == "kv_update") tensor.aliasOf = instruction.args[0];
    outputs.push_back(tensor);
    return true;
  }
  failure.message = "there is no result " + name;
  return false;
}

std::string Program::infer(Shapes& shapes) const {
  std::map<std::string, int64_t> sizes;
  for (Tensor const& input : inputs)
    for (size_t i = 0; i < input.shape.size(); i++) {
      if (input.symbols[i].empty()) continue;
      int64_t const size = shapes[input.name][i];
      auto const known = sizes.emplace(input.symbols[i], size);
      if (known.first->second != size)
        return "dimension " + input.symbols[i] + " is " + std::to_string(known.first->second) + " and " +
               std::to_string(size);
    }
  for (Instruction const& instruction : mInstructions) {
    std::string const wrong = inferOne(instruction, shapes);
    if (!wrong.empty()) return instruction.op + " " + instruction.result + ": " + wrong;
  }
  return "";
}

std::string Program::inferOne(Instruction const& instruction, Shapes& shapes) const {
  Shape const first = shapes[instruction.args[0]];
  shapes[instruction.result] = first;
  if (instruction.op == "sum") {
    if (first.empty()) return "a scalar has no last axis";
    shapes[instruction.result].back() = 1;
  }
  if (instruction.op == "add" || instruction.op == "mul") {
    Shape const second = shapes[instruction.args[1]];
    if (second != first && elements(second) != 1) return toText(first) + " and " + toText(second) + " differ";
  }
  if (instruction.op == "kv_update") {
    Shape const update = shapes[instruction.args[1]];
    Shape const index = shapes[instruction.args[2]];
    bool const cached = first.size() == 4 && update.size() == 4 && index.size() == 1 && first[2] > 0;
    if (!cached || update[0] != first[0] || update[1] != first[1] || update[3] != first[3] || index[0] != first[0])
      return "a cache " + toText(first) + " takes no update " + toText(update) + " at " + toText(index);
  }
  return "";
}

}  // namespace fake
