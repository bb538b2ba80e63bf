/** What the addon keeps per JavaScript environment (the main thread and every worker have one). */
#pragma once

#include <NvInferRuntime.h>
#include <napi.h>

#include <memory>
#include <set>

#include "logger.h"

class Job;

struct Environment {
  Napi::FunctionReference graphClass;
  Napi::FunctionReference engineClass;
  Napi::FunctionReference contextClass;
  std::unique_ptr<LogListener> listener;
  /** Builds that are running. */
  std::set<Job*> jobs;

  /**
   * Ends what other threads do for this environment when JavaScript's `process` exits: process.exit() does not tear the
   * main thread's environment down, but the C++ destructors of all libraries run.
   */
  static void endAtExit(Napi::Env env);

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
