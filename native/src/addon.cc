/** What JavaScript gets: the exports of src/runtime/addon.ts, each implemented in the file of its noun. */
#include <napi.h>

#include "arguments.h"
#include "buffers.h"
#include "context.h"
#include "devices.h"
#include "engine.h"
#include "environment.h"
#include "event.h"
#include "graph.h"
#include "job.h"
#include "libraries.h"
#include "network.h"
#include "stream.h"

namespace {

Napi::Value loadLibraries(const Napi::CallbackInfo& info) {
  std::optional<std::string> folder;
  if (!info[0].IsUndefined()) folder = text(info[0], "folder");
  const Libraries& found = load(folder);
  Napi::Object versions = Napi::Object::New(info.Env());
  versions.Set("tensorrt", found.tensorrt);
  versions.Set("parser", found.parser);
  versions.Set("cudaRuntime", found.cudaRuntime);
  versions.Set("headers", headersVersion());
  return versions;
}

Napi::Value onLog(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  if (info[0].IsNull()) {
    environment.listener.reset();
  } else if (info[0].IsFunction()) {
    environment.listener =
        std::make_unique<LogListener>(info.Env(), info[0].As<Napi::Function>(), &environment);
  } else {
    throw misuse("listener must be a function or null");
  }
  return info.Env().Undefined();
}

template <Napi::Value (*body)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  return attempt(info.Env(), [&] { return body(info); });
}

template <Napi::Value (*body)(const Napi::CallbackInfo&)>
void add(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<body>>(exports.Env(), name));
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto environment = std::make_unique<Environment>();
  environment->graphClass = Napi::Persistent(Graph::define(env));
  environment->engineClass = Napi::Persistent(Engine::define(env));
  environment->contextClass = Napi::Persistent(ExecutionContext::define(env));
  env.SetInstanceData(environment.release());
  Environment::endAtExit(env);

  exports.Set("headers", headersVersion());
  add<loadLibraries>(exports, "load");
  add<devices>(exports, "devices");
  add<setDevice>(exports, "setDevice");
  add<memory>(exports, "memory");
  add<onLog>(exports, "onLog");
  add<inspect>(exports, "inspect");
  add<startBuild>(exports, "build");
  add<loadEngine>(exports, "loadEngine");
  exports.Set("DeviceBuffer", DeviceBuffer::define(env));
  exports.Set("PinnedBuffer", PinnedBuffer::define(env));
  exports.Set("Stream", Stream::define(env));
  exports.Set("Event", Event::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(tensorrt, initialise)
