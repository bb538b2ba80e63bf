#include "job.h"

#include <system_error>

#include "cuda.h"
#include "environment.h"

namespace {

Napi::Object toObject(Napi::Env env, const Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("phase", progress.phase);
  object.Set("parent", progress.parent ? Napi::String::New(env, *progress.parent) : env.Null());
  object.Set("step", progress.step);
  object.Set("steps", progress.steps);
  object.Set("finished", progress.finished);
  return object;
}

Napi::Object toObject(Napi::Env env, const BuildReport& report) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("planBytes", static_cast<double>(report.planBytes));
  object.Set("layers", report.layers);
  object.Set("seconds", report.seconds);
  return object;
}

}  // namespace

Job::Job(Napi::Env env, BuildOptions options)
    : device_(Environment::of(env).device()),
      owner_(&Environment::of(env)),
      options_(std::move(options)),
      deferred_(Napi::Promise::Deferred::New(env)),
      progress_([this](const Progress& progress) { post(progress); }) {}

Napi::Object Job::start(Napi::Env env, BuildOptions options, Napi::Function onProgress) {
  const std::shared_ptr<Job> job(new Job(env, std::move(options)));
  // the queue holds the job until its last message is delivered
  job->queue_ = Queue::New(
      env, onProgress, "TensorRT build", 0, 1, job.get(),
      [](Napi::Env, std::shared_ptr<Job>* hold, Job*) { delete hold; }, new std::shared_ptr<Job>(job));
  try {
    job->thread_ = std::thread([running = job.get()] { running->run(); });
  } catch (const std::system_error& error) {
    job->queue_.Abort();
    throw Failure(Code::kMemory, std::string("the system gives no thread to build on: ") + error.what());
  }
  Environment::of(env).jobs.insert(job.get());
  // added after the queue's own hook, so run before it
  napi_add_env_cleanup_hook(env, endWithEnvironment, job.get());
  Napi::Object object = Napi::Object::New(env);
  object.Set("done", job->deferred_.Promise());
  object.Set("cancel", Napi::Function::New(
                           env, [job](const Napi::CallbackInfo&) { job->progress_.cancel(); }, "cancel"));
  return object;
}

void Job::end() noexcept {
  progress_.cancel();
  if (thread_.joinable()) thread_.join();
}

void Job::run() {
  Message result = Failure(Code::kCancelled, "");
  try {
    CUDA_CALL(cudaSetDevice, device_);
    result = build(options_, progress_, owner_);
  } catch (const Failure& failure) {
    result = failure;
  } catch (const std::exception& error) {
    result = Failure(Code::kTensorrt, error.what());
  }
  post(std::move(result));
  queue_.Release();
}

void Job::post(Message message) {
  auto owned = std::make_unique<Message>(std::move(message));
  if (queue_.NonBlockingCall(owned.get()) == napi_ok) owned.release();
}

void Job::deliver(Napi::Env env, Napi::Function onProgress, Job* job, Message* message) {
  const std::unique_ptr<Message> owned(message);
  // no environment: it is being torn down, and nobody waits any more
  if (env == nullptr) return;
  if (const auto* progress = std::get_if<Progress>(message)) {
    if (!onProgress.IsEmpty()) onProgress.Call({toObject(env, *progress)});
  } else {
    job->settle(env, *message);
  }
}

void Job::settle(Napi::Env env, const Message& message) {
  // its thread has nothing left to do but to end
  thread_.join();
  Environment::of(env).jobs.erase(this);
  napi_remove_env_cleanup_hook(env, endWithEnvironment, this);
  if (const auto* failure = std::get_if<Failure>(&message)) {
    deferred_.Reject(failure->toError(env).Value());
  } else {
    deferred_.Resolve(toObject(env, std::get<BuildReport>(message)));
  }
}

Napi::Value startBuild(const Napi::CallbackInfo& info) {
  const bool listens = !info[1].IsUndefined();
  if (listens && !info[1].IsFunction()) throw misuse("onProgress must be a function");
  return Job::start(info.Env(), readBuildOptions(info[0]),
                    listens ? info[1].As<Napi::Function>() : Napi::Function());
}
