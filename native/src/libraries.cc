#include "libraries.h"

#include <NvInferVersion.h>
#include <NvOnnxParser.h>
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "failure.h"

namespace {

const std::string kTensorrtMajor = std::to_string(NV_TENSORRT_MAJOR);
const std::string kCudaMajor = std::to_string(CUDART_VERSION / 1000);

std::string dotted(int a, int b, int c) {
  return std::to_string(a) + '.' + std::to_string(b) + '.' + std::to_string(c);
}

/** Opens a library by a path or by a name that the loader searches; `advice` ends the sentence if it is not there. */
void* open(const std::string& path, const std::string& advice) {
  // never closed: objects of a library may live until the process ends
  if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  const char* reason = dlerror();
  throw Failure(Code::kLibrary,
                path + " could not be opened (" + (reason ? reason : "no reason given") + "): " + advice);
}

template <class Function>
Function resolved(void* library, const char* name, const std::string& file) {
  return reinterpret_cast<Function>(symbol(library, name, file.c_str()));
}

std::string inFolder(const std::optional<std::string>& folder, const std::string& file) {
  return folder ? *folder + '/' + file : file;
}

void openTensorrt(Libraries& found, const std::optional<std::string>& folder) {
  const std::string file = inFolder(folder, "libnvinfer.so." + kTensorrtMajor);
  void* library = open(file, "install TensorRT " + kTensorrtMajor + " (apt install libnvinfer" +
                                 kTensorrtMajor + " libnvonnxparsers" + kTensorrtMajor +
                                 ", or its tar file) and name the folder of its "
                                 "libraries if the loader does not search it");
  using Number = int32_t (*)();
  const int major = resolved<Number>(library, "getInferLibMajorVersion", file)();
  found.tensorrt = dotted(major, resolved<Number>(library, "getInferLibMinorVersion", file)(),
                          resolved<Number>(library, "getInferLibPatchVersion", file)()) +
                   '.' + std::to_string(resolved<Number>(library, "getInferLibBuildVersion", file)());
  if (major != NV_TENSORRT_MAJOR) {
    throw Failure(Code::kVersion, file + " is TensorRT " + found.tensorrt +
                                      " but the addon was compiled with the headers of " + headersVersion() +
                                      ": install libraries and headers of one major version and run " +
                                      "npm run build:native again");
  }
  found.createBuilder = resolved<decltype(found.createBuilder)>(library, "createInferBuilder_INTERNAL", file);
  found.createRuntime = resolved<decltype(found.createRuntime)>(library, "createInferRuntime_INTERNAL", file);
}

void openParser(Libraries& found, const std::optional<std::string>& folder) {
  const std::string file = inFolder(folder, "libnvonnxparser.so." + kTensorrtMajor);
  void* library =
      open(file, "install the ONNX parser of TensorRT " + kTensorrtMajor + " (apt install libnvonnxparsers" +
                     kTensorrtMajor + "; the tar file has it beside libnvinfer)");
  const int version = resolved<int (*)()>(library, "getNvOnnxParserVersion", file)();
  found.parser = dotted(version / 10000, version / 100 % 100, version % 100);
  found.createParser = resolved<decltype(found.createParser)>(library, "createNvOnnxParser_INTERNAL", file);
}

/** TensorRT's packages do not bring libcudart, so the loader may find it where `folder` lacks it. */
void openCuda(Libraries& found, const std::optional<std::string>& folder) {
  const std::string name = "libcudart.so." + kCudaMajor;
  const std::string beside = inFolder(folder, name);
  const std::string file = access(beside.c_str(), F_OK) == 0 ? beside : name;
  void* library = open(file, "install CUDA's runtime (apt install cuda-cudart-" + kCudaMajor +
                                 "-0 or later), or put " + name + " into the folder of TensorRT's libraries");
  found.cuda.resolve(library, file.c_str());
  int version = 0;
  if (found.cuda.cudaRuntimeGetVersion(&version) != cudaSuccess) version = 0;
  found.cudaRuntime = cudaVersion(version);
  if (version / 1000 != CUDART_VERSION / 1000) {
    throw Failure(Code::kVersion,
                  file + " is CUDA " + found.cudaRuntime +
                      " but the addon was compiled with the headers of " + cudaVersion(CUDART_VERSION) +
                      ": install both of one major version and run " + "npm run build:native again");
  }
}

std::mutex mutex;
std::optional<Failure> failure;
bool tried = false;
std::optional<std::string> firstFolder;
std::atomic<const Libraries*> opened{nullptr};

}  // namespace

std::string headersVersion() {
  return dotted(NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_PATCH) + '.' +
         std::to_string(NV_TENSORRT_BUILD);
}

std::string cudaVersion(int version) {
  return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10);
}

void* symbol(void* library, const char* name, const char* file) {
  if (void* address = dlsym(library, name)) return address;
  throw Failure(Code::kLibrary, std::string(file) + " has no function " + name +
                                    ": it is not the library of TensorRT " + headersVersion() + " and CUDA " +
                                    cudaVersion(CUDART_VERSION) + " that the addon was compiled for");
}

const Libraries& load(const std::optional<std::string>& folder) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (tried && folder != firstFolder) {
    throw misuse("the libraries were loaded from " +
                 (firstFolder ? quoted(*firstFolder) : "the loader's path") +
                 ": another folder needs another process");
  }
  if (failure) throw *failure;
  if (tried) return *opened.load();
  tried = true;
  firstFolder = folder;
  try {
    // lives as long as the process, because the finalisers of its last objects call through it
    auto* found = new Libraries();
    openTensorrt(*found, folder);
    openParser(*found, folder);
    openCuda(*found, folder);
    opened = found;
    return *found;
  } catch (const Failure& reason) {
    failure = reason;
    throw;
  }
}

const Libraries& libraries() {
  if (const Libraries* found = opened.load()) return *found;
  throw misuse("TensorRT is not loaded: call load() first");
}
