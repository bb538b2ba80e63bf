/** What goes wrong: thrown on any thread, and turned into a JavaScript Error at the border. */
#pragma once

#include <napi.h>

#include <exception>
#include <string>
#include <utility>

/** NativeErrorCode of src/runtime/addon.ts. */
enum class Code { kLibrary, kVersion, kDriver, kDevice, kCuda, kTensorrt, kMemory, kCancelled, kMisuse };

class Failure : public std::exception {
 public:
  Failure(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

  /** The JavaScript Error with its `code`. On the environment's thread only. */
  Napi::Error toError(Napi::Env env) const;

 private:
  Code code_;
  std::string message_;
};

/** A wrong call. */
inline Failure misuse(std::string message) { return {Code::kMisuse, std::move(message)}; }

/** "name": how messages cite names and paths. */
inline std::string quoted(const std::string& name) { return '"' + name + '"'; }

/** The JavaScript Error for whatever is being handled. Call it inside a catch block. */
Napi::Error currentError(Napi::Env env);

/** Runs `work` at the border to JavaScript: whatever it throws becomes a Napi::Error. */
template <class Work>
auto attempt(Napi::Env env, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    throw currentError(env);
  }
}
