#include "event.h"

#include "environment.h"

EventHandle::EventHandle() { CUDA_CALL(cudaEventCreateWithFlags, &event_, cudaEventDefault); }

EventHandle::~EventHandle() {
  const RelaxedCapture relaxed;
  cuda().cudaEventDestroy(event_);
}

Napi::Function Event::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {method<&Event::query>("query"), method<&Event::synchronize>("synchronize"),
                      method<&Event::since>("since"), disposeMethod()});
}

Event::Event(const Napi::CallbackInfo& info) : Resource(info) {
  attempt(info.Env(), [&] {
    Environment::of(info.Env()).device();
    hold(std::make_shared<EventHandle>());
  });
}

Napi::Value Event::query(const Napi::CallbackInfo& info) {
  const cudaError_t status = cuda().cudaEventQuery(handle()->get());
  if (status == cudaErrorNotReady) {
    cuda().cudaGetLastError();
    return Napi::Boolean::New(info.Env(), false);
  }
  check(status, "cudaEventQuery");
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value Event::synchronize(const Napi::CallbackInfo& info) {
  CUDA_CALL(cudaEventSynchronize, handle()->get());
  return info.Env().Undefined();
}

Napi::Value Event::since(const Napi::CallbackInfo& info) {
  const auto& end = handle();
  const auto start = Event::of(info[0], "earlier");
  float milliseconds = 0;
  CUDA_CALL(cudaEventElapsedTime, &milliseconds, start->get(), end->get());
  return Napi::Number::New(info.Env(), static_cast<double>(milliseconds));
}
