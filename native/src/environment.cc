#include "environment.h"

#include <string>

#include "devices.h"
#include "job.h"
#include "libraries.h"

void Environment::endAtExit(Napi::Env env) {
  const auto end = [](const Napi::CallbackInfo& info) {
    Environment& environment = of(info.Env());
    environment.listener.reset();
    for (Job* job : environment.jobs) job->end();
  };
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  process.Get("once").As<Napi::Function>().Call(
      process, {Napi::String::New(env, "exit"), Napi::Function::New(env, end)});
}

int Environment::device() const {
  if (device_ < 0) throw misuse("this thread has no GPU: call setDevice() first");
  return device_;
}

void Environment::setDevice(int index) {
  if (device_ >= 0 && device_ != index) {
    throw misuse("this thread has GPU " + std::to_string(device_) + " already: GPU " + std::to_string(index) +
                 " needs a thread of its own");
  }
  useDevice(index);
  device_ = index;
}

std::shared_ptr<nvinfer1::IRuntime> Environment::runtime() {
  // without a driver TensorRT makes a runtime and crashes later, so the GPU comes first
  device();
  if (runtime_) return runtime_;
  const Conversation conversation(this);
  runtime_.reset(static_cast<nvinfer1::IRuntime*>(libraries().createRuntime(&logger(), NV_TENSORRT_VERSION)));
  if (!runtime_) throw conversation.failure("TensorRT could not make a runtime");
  return runtime_;
}
