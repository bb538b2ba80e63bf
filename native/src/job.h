/** Native.build(): a build on a thread of its own. */
#pragma once

#include <napi.h>

#include <memory>
#include <thread>
#include <variant>

#include "builder.h"
#include "failure.h"
#include "progress.h"

/**
 * The build's thread reports through a queue that keeps the event loop alive until the last message, which is the
 * result. If the environment ends first, the build is cancelled and waited for: TensorRT must not run on while the
 * process unloads it.
 */
class Job {
 public:
  /** Starts a build and returns its BuildJob. `onProgress` may be empty. */
  static Napi::Object start(Napi::Env env, BuildOptions options, Napi::Function onProgress);

  /** Cancels the build and waits for it. On the environment's thread; may be called twice. */
  void end() noexcept;

 private:
  using Message = std::variant<Progress, BuildReport, Failure>;
  static void deliver(Napi::Env env, Napi::Function onProgress, Job* job, Message* message);
  using Queue = Napi::TypedThreadSafeFunction<Job, Message, &Job::deliver>;

  Job(Napi::Env env, BuildOptions options);

  void run();
  void post(Message message);
  void settle(Napi::Env env, const Message& message);
  static void endWithEnvironment(void* job) { static_cast<Job*>(job)->end(); }

  int device_;
  const void* owner_;
  BuildOptions options_;
  Napi::Promise::Deferred deferred_;
  ProgressMonitor progress_;
  Queue queue_;
  std::thread thread_;
};

Napi::Value startBuild(const Napi::CallbackInfo& info);
