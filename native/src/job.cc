#include "job.h"

#include <memory>
#include <system_error>
#include <thread>
#include <variant>

#include "arguments.h"
#include "builder.h"
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

/**
 * The build's thread reports through a queue that keeps the event loop alive until the last message, which is the
 * result. If the environment ends first, the build is cancelled and waited for: TensorRT must not run on while the
 * process unloads it.
 */
class Job {
 public:
  static Napi::Object start(const Napi::CallbackInfo& info, BuildOptions options);

 private:
  using Message = std::variant<Progress, BuildReport, Failure>;
  static void deliver(Napi::Env env, Napi::Function onProgress, Job* job, Message* message);
  using Queue = Napi::TypedThreadSafeFunction<Job, Message, &Job::deliver>;

  Job(Napi::Env env, int device, BuildOptions options)
      : device_(device),
        owner_(&Environment::of(env)),
        options_(std::move(options)),
        deferred_(Napi::Promise::Deferred::New(env)),
        progress_([this](const Progress& progress) { post(progress); }) {}

  void run();
  void post(Message message);
  void settle(Napi::Env env, const Message& message);
  static void endWithEnvironment(void* job);

  int device_;
  const void* owner_;
  BuildOptions options_;
  Napi::Promise::Deferred deferred_;
  ProgressMonitor progress_;
  Queue queue_;
  std::thread thread_;
};

Napi::Object Job::start(const Napi::CallbackInfo& info, BuildOptions options) {
  const Napi::Env env = info.Env();
  const Napi::Function onProgress = info[1].IsUndefined() ? Napi::Function() : info[1].As<Napi::Function>();
  const std::shared_ptr<Job> job(new Job(env, Environment::of(env).device(), std::move(options)));
  // the queue holds the job until its last message is delivered
  job->queue_ = Queue::New(env, onProgress, "TensorRT build", 0, 1, job.get(),
                           [](Napi::Env, std::shared_ptr<Job>* hold, Job*) { delete hold; },
                           new std::shared_ptr<Job>(job));
  // added after the queue's own hook, so run before it
  napi_add_env_cleanup_hook(env, endWithEnvironment, job.get());
  Napi::Object object = Napi::Object::New(env);
  object.Set("done", job->deferred_.Promise());
  object.Set("cancel", Napi::Function::New(env, [job](const Napi::CallbackInfo&) { job->progress_.cancel(); }, "cancel"));
  try {
    job->thread_ = std::thread([running = job.get()] { running->run(); });
  } catch (const std::system_error& error) {
    napi_remove_env_cleanup_hook(env, endWithEnvironment, job.get());
    job->queue_.Abort();
    throw Failure(Code::kMemory, std::string("the system gives no thread to build on: ") + error.what());
  }
  return object;
}

void Job::run() {
  Message result = Failure(Code::kTensorrt, "");
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
  // it has nothing left to do but to end
  thread_.join();
  napi_remove_env_cleanup_hook(env, endWithEnvironment, this);
  if (const auto* failure = std::get_if<Failure>(&message)) {
    deferred_.Reject(failure->toError(env).Value());
  } else {
    deferred_.Resolve(toObject(env, std::get<BuildReport>(message)));
  }
}

void Job::endWithEnvironment(void* data) {
  auto* job = static_cast<Job*>(data);
  job->progress_.cancel();
  job->thread_.join();
}

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

BuildOptions readOptions(const Napi::Value& value) {
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
  if (!workspace.IsUndefined()) options.workspaceBytes = static_cast<size_t>(count(workspace, "workspaceBytes"));
  const Napi::Value timingCache = object.Get("timingCache");
  if (!timingCache.IsUndefined()) options.timingCache = text(timingCache, "timingCache");
  const Napi::Value level = object.Get("optimizationLevel");
  if (!level.IsUndefined()) options.optimizationLevel = static_cast<int>(count(level, "optimizationLevel", 5));
  return options;
}

}  // namespace

Napi::Value startBuild(const Napi::CallbackInfo& info) {
  if (!info[1].IsUndefined() && !info[1].IsFunction()) throw misuse("onProgress must be a function");
  return Job::start(info, readOptions(info[0]));
}
