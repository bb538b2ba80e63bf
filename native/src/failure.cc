#include "failure.h"

#include <new>

namespace {

const char* name(Code code) {
  switch (code) {
    case Code::kLibrary: return "library";
    case Code::kVersion: return "version";
    case Code::kDriver: return "driver";
    case Code::kDevice: return "device";
    case Code::kCuda: return "cuda";
    case Code::kTensorrt: return "tensorrt";
    case Code::kMemory: return "memory";
    case Code::kCancelled: return "cancelled";
    case Code::kMisuse: return "misuse";
  }
  return "tensorrt";
}

}  // namespace

Napi::Error Failure::toError(Napi::Env env) const {
  Napi::Error error = Napi::Error::New(env, message_);
  error.Set("code", Napi::String::New(env, name(code_)));
  return error;
}

Napi::Error currentError(Napi::Env env) {
  try {
    throw;
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Failure& failure) {
    return failure.toError(env);
  } catch (const std::bad_alloc&) {
    return Failure(Code::kMemory, "the host's memory is used up").toError(env);
  } catch (const std::exception& error) {
    return Failure(Code::kTensorrt, error.what()).toError(env);
  }
}
