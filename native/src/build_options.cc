#include "arguments.h"
#include "builder.h"
#include "dims.h"

namespace {

Range range(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject()) throw misuse(name + " must be an object of min, opt and max");
  const Napi::Object object = value.As<Napi::Object>();
  return {dims(object.Get("min"), "min of " + name), dims(object.Get("opt"), "opt of " + name),
          dims(object.Get("max"), "max of " + name)};
}

Profile profile(const Napi::Value& value) {
  if (!value.IsObject()) throw misuse("a profile must be an object of ranges by input");
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Array names = object.GetPropertyNames();
  Profile result;
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = text(names.Get(i), "input");
    result[name] = range(object.Get(name), "input " + quoted(name));
  }
  return result;
}

}  // namespace

BuildOptions readBuildOptions(const Napi::Value& value) {
  if (!value.IsObject()) throw misuse("options must be an object");
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value profiles = object.Get("profiles");
  const Napi::Value tf32 = object.Get("tf32");
  if (!profiles.IsArray()) throw misuse("profiles must be an array");
  if (!tf32.IsBoolean()) throw misuse("tf32 must be true or false");
  BuildOptions options{text(object.Get("onnx"), "onnx"), text(object.Get("plan"), "plan"), {}, {}, {}, {},
                       tf32.As<Napi::Boolean>().Value()};
  const Napi::Array list = profiles.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) options.profiles.push_back(profile(list.Get(i)));
  const Napi::Value workspace = object.Get("workspaceBytes");
  if (!workspace.IsUndefined())
    options.workspaceBytes = static_cast<size_t>(count(workspace, "workspaceBytes"));
  const Napi::Value timingCache = object.Get("timingCache");
  if (!timingCache.IsUndefined()) options.timingCache = text(timingCache, "timingCache");
  const Napi::Value level = object.Get("optimizationLevel");
  if (!level.IsUndefined())
    options.optimizationLevel = static_cast<int>(count(level, "optimizationLevel", 5));
  return options;
}
