#include "onnx.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include "../cuda/count.h"

namespace fake {
namespace {

constexpr char kMagic[] = "onnx-files";

std::string readFile(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("could not open file " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The files with a model's weights: in protobuf, each is an entry of a key `location` and a value.
std::set<std::string> externalFiles(std::string const& model) {
  static std::string const key("\x0a\x08location\x12", 11);
  std::set<std::string> names;
  for (size_t at = model.find(key); at != std::string::npos; at = model.find(key, at + 1)) {
    size_t const start = at + key.size();
    names.insert(model.substr(start + 1, static_cast<unsigned char>(model[start])));
  }
  return names;
}

/// FAKE_TRT_ALIASES lists the first words of outputs that are written in place of the input `past…`.
std::string aliasOf(Model const& model, Tensor const& output) {
  char const* words = std::getenv("FAKE_TRT_ALIASES");
  std::istringstream list(words ? words : "fresh,present");
  for (std::string word; std::getline(list, word, ',');) {
    if (output.name.rfind(word, 0) != 0) continue;
    Tensor const* const input = model.find("past" + output.name.substr(word.size()));
    if (input && input->type == output.type) return input->name;
  }
  return "";
}

}  // namespace

OnnxModel::OnnxModel(std::string path, bool optimised) : mPath(std::move(path)), mSession(mPath, optimised) {
  inputs = mSession.inputs();
  std::vector<Tensor> const written = mSession.outputs();
  for (Tensor output : written) {
    output.aliasOf = aliasOf(*this, output);
    if (!output.aliasOf.empty()) output.shape = find(output.aliasOf)->shape;
    outputs.push_back(output);
  }
  layers = static_cast<int>(inputs.size() + outputs.size());
  std::filesystem::path const folder = std::filesystem::path(mPath).parent_path();
  behaviour.weightBytes = static_cast<int64_t>(std::filesystem::file_size(mPath));
  for (std::string const& name : externalFiles(readFile(mPath)))
    behaviour.weightBytes += static_cast<int64_t>(std::filesystem::file_size(folder / name));
}

bool OnnxModel::isOnnx(std::string const& content) {
  // The first field of a ModelProto is its version, a number.
  return !content.empty() && content[0] == '\x08';
}

bool OnnxModel::isSaved(std::string_view saved) { return saved.rfind(kMagic, 0) == 0; }

std::shared_ptr<Model const> OnnxModel::parse(std::string const& path, std::string const&, ParseFailure& failure) {
  try {
    return std::shared_ptr<Model const>(new OnnxModel(path, false));
  } catch (std::exception const& error) {
    failure.message = error.what();
    return nullptr;
  }
}

std::string OnnxModel::save() const {
  std::filesystem::path const path(mPath);
  std::string const model = readFile(path);
  std::string out = std::string(kMagic) + '\n';
  auto const add = [&](std::string const& name, std::string const& bytes) {
    out += name + '\n' + std::to_string(bytes.size()) + '\n';
    out += bytes;
  };
  add("model.onnx", model);
  for (std::string const& name : externalFiles(model)) add(name, readFile(path.parent_path() / name));
  return out;
}

std::shared_ptr<Model const> OnnxModel::load(std::string_view saved) {
  std::string folder = (std::filesystem::temp_directory_path() / "stand-in-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return nullptr;
  size_t at = 0;
  auto const line = [&] {
    size_t const begin = at;
    at = saved.find('\n', begin) + 1;
    return std::string(saved.substr(begin, at - 1 - begin));
  };
  line();
  while (at < saved.size()) {
    std::filesystem::path const file = std::filesystem::path(folder) / line();
    auto const bytes = static_cast<size_t>(std::stoull(line()));
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(saved.data() + at, static_cast<std::streamsize>(bytes));
    at += bytes;
  }
  std::shared_ptr<Model const> model;
  try {
    model.reset(new OnnxModel((std::filesystem::path(folder) / "model.onnx").string(), true));
  } catch (std::exception const&) {
    // The plan was made of it, so that it is the plan that is damaged: null says so.
  }
  // ONNX Runtime has read or mapped what it needs.
  std::filesystem::remove_all(folder);
  return model;
}

std::string OnnxModel::infer(Shapes& shapes) const {
  std::map<std::string, int64_t> sizes;
  std::string key;
  bool open = false;
  for (Tensor const& input : inputs) {
    Shape const& shape = shapes.at(input.name);
    key += toText(shape);
    for (size_t i = 0; i < shape.size(); i++) {
      open = open || shape[i] < 0;
      if (input.symbols[i].empty()) continue;
      int64_t const size = sizes.emplace(input.symbols[i], shape[i]).first->second;
      if (size != shape[i])
        return "dimension " + input.symbols[i] + " is " + std::to_string(size) + " and " + std::to_string(shape[i]);
    }
  }
  bool known = true;
  for (Tensor const& output : outputs) {
    Shape shape = output.aliasOf.empty() ? output.shape : shapes.at(output.aliasOf);
    for (size_t i = 0; i < shape.size(); i++) {
      if (shape[i] >= 0) continue;
      auto const size = sizes.find(output.symbols[i]);
      if (size == sizes.end()) known = false;
      else shape[i] = size->second;
    }
    shapes[output.name] = shape;
  }
  if (known || open) return "";
  std::lock_guard<std::mutex> lock(mMutex);
  auto const tried = mTried.find(key);
  if (tried != mTried.end()) {
    for (auto const& [name, shape] : tried->second) shapes[name] = shape;
    return "";
  }
  // The sizes follow from the shapes, since TensorRT's graphs have none that depend on data: a run with zeros tells them.
  Bindings bindings;
  std::map<std::string, std::vector<char>> zeros;
  for (Tensor const& input : inputs) {
    zeros[input.name].resize(bytesOf(input.type, shapes[input.name]));
    bindings[input.name] = {zeros[input.name].data(), shapes[input.name]};
  }
  try {
    mSession.run(inputs, outputs, bindings);
  } catch (std::exception const& error) {
    return error.what();
  }
  for (Tensor const& output : outputs) shapes[output.name] = mTried[key][output.name] = bindings[output.name].shape;
  return "";
}

cudaError_t OnnxModel::run(Bindings const& bindings) const {
  Bindings bound = bindings;
  try {
    mSession.run(inputs, outputs, bound);
    return cudaSuccess;
  } catch (std::exception const& error) {
    undefined(error.what());
  }
}

}  // namespace fake
