#include "engine.h"

#include "arguments.h"
#include "buffers.h"
#include "context.h"
#include "dims.h"
#include "dtype.h"
#include "stream.h"

namespace {

Napi::Value toObject(Napi::Env env, const EngineTensor& tensor) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", tensor.name);
  object.Set("dtype", nameOf(tensor.type));
  object.Set("dims", toArray(env, tensor.dims));
  object.Set("mode", tensor.input ? "input" : "output");
  object.Set("location", tensor.host ? "host" : "device");
  object.Set("aliasOf", tensor.aliasOf.empty() ? env.Null() : Napi::String::New(env, tensor.aliasOf));
  Napi::Array profiles = Napi::Array::New(env, tensor.profiles.size());
  for (uint32_t i = 0; i < tensor.profiles.size(); i++) {
    Napi::Object range = Napi::Object::New(env);
    range.Set("min", toArray(env, tensor.profiles[i].min));
    range.Set("opt", toArray(env, tensor.profiles[i].opt));
    range.Set("max", toArray(env, tensor.profiles[i].max));
    profiles.Set(i, range);
  }
  object.Set("profiles", profiles);
  return object;
}

}  // namespace

Napi::Function Engine::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {property<&Engine::tensors>("tensors"), property<&Engine::profiles>("profiles"),
       property<&Engine::weightBytes>("weightBytes"), method<&Engine::activationBytes>("activationBytes"),
       method<&Engine::createContext>("createContext"), disposeMethod()});
}

Engine::Engine(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] {
    hold(wrapped(info, "loadEngine()"));
    const auto& tensors = handle()->tensors();
    Napi::Array array = Napi::Array::New(info.Env(), tensors.size());
    for (uint32_t i = 0; i < tensors.size(); i++) array.Set(i, toObject(info.Env(), tensors[i]));
    tensors_ = Napi::Persistent(array.As<Napi::Object>());
  });
}

Napi::Value Engine::tensors(const Napi::CallbackInfo&) {
  handle();
  return tensors_.Value();
}

Napi::Value Engine::profiles(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), handle()->get().getNbOptimizationProfiles());
}

Napi::Value Engine::weightBytes(const Napi::CallbackInfo& info) {
  const int64_t bytes = handle()->get().getEngineStat(nvinfer1::EngineStat::kTOTAL_WEIGHTS_SIZE);
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

Napi::Value Engine::activationBytes(const Napi::CallbackInfo& info) {
  const auto& engine = handle();
  const size_t bytes = engine->activationBytes(engine->checkProfile(count(info[0], "profile")));
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

Napi::Value Engine::createContext(const Napi::CallbackInfo& info) {
  const auto& engine = handle();
  const int32_t profile = engine->checkProfile(count(info[0], "profile"));
  const auto stream = Stream::of(info[1], "stream");
  std::shared_ptr<DeviceMemory> activations;
  if (!info[2].IsUndefined()) activations = DeviceBuffer::of(info[2], "activations");
  return ExecutionContext::wrap(
      Environment::of(info.Env()).contextClass,
      std::make_shared<ContextHandle>(engine, profile, *stream, std::move(activations)));
}

Napi::Value loadEngine(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const std::string plan = text(info[0], "plan");
  return Engine::wrap(environment.engineClass, std::make_shared<EngineHandle>(environment, plan));
}
