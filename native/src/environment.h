/** What the addon keeps per JavaScript environment (the main thread and every worker have one). */
#pragma once

#include <NvInferRuntime.h>
#include <napi.h>

#include <memory>

#include "logger.h"

struct Environment {
  Napi::FunctionReference graphClass;
  Napi::FunctionReference engineClass;
  Napi::FunctionReference contextClass;
  std::unique_ptr<LogListener> listener;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  /** This thread's GPU. Throws a Failure `misuse` before setDevice(). */
  int device() const;
  /** Makes a GPU this thread's for good: what was made on one GPU is useless on another. */
  void setDevice(int index);
  /** TensorRT's runtime on this thread's GPU, made at the first call. */
  std::shared_ptr<nvinfer1::IRuntime> runtime();

 private:
  int device_ = -1;
  std::shared_ptr<nvinfer1::IRuntime> runtime_;
};
