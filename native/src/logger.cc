#include "logger.h"

#include <algorithm>
#include <mutex>

#include "cuda.h"

namespace {

using Severity = nvinfer1::ILogger::Severity;

/** Enough to explain a failure: the first error is the cause, the rest are its echoes. */
constexpr size_t kErrorsKept = 8;

thread_local Conversation* current = nullptr;

const char* name(Severity severity) {
  switch (severity) {
    case Severity::kINTERNAL_ERROR: return "internal error";
    case Severity::kERROR: return "error";
    case Severity::kWARNING: return "warning";
    case Severity::kINFO: return "info";
    case Severity::kVERBOSE: return "verbose";
  }
  return "verbose";
}

bool saysOutOfMemory(const std::string& text) {
  for (const char* words : {"out of memory", "Out of memory", "OutOfMemory", "could not be allocated"}) {
    if (text.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

struct LogListener::Message {
  Severity severity;
  std::string text;
};

class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* text) noexcept override {
    try {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (severity <= Severity::kERROR) keep(text);
      for (LogListener* listener : listeners_) {
        if (current && current->owner_ != listener->owner_) continue;
        auto message = std::make_unique<LogListener::Message>(LogListener::Message{severity, text});
        if (listener->queue_.NonBlockingCall(message.get()) == napi_ok) message.release();
      }
    } catch (const std::exception&) {
      // the host has no memory for the message: nothing may leave a callback of TensorRT, not even that
    }
  }

  void add(Conversation* conversation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    conversations_.push_back(conversation);
  }

  void remove(Conversation* conversation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    conversations_.erase(std::find(conversations_.begin(), conversations_.end(), conversation));
  }

  void add(LogListener* listener) {
    const std::lock_guard<std::mutex> lock(mutex_);
    listeners_.push_back(listener);
  }

  void remove(LogListener* listener) {
    const std::lock_guard<std::mutex> lock(mutex_);
    listeners_.erase(std::find(listeners_.begin(), listeners_.end(), listener));
  }

  std::vector<std::string> errorsOf(const Conversation& conversation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return conversation.errors_;
  }

 private:
  void keep(const char* text) {
    for (Conversation* conversation : conversations_) {
      if (current && current != conversation) continue;
      if (conversation->errors_.size() < kErrorsKept) conversation->errors_.emplace_back(text);
    }
  }

  std::mutex mutex_;
  std::vector<Conversation*> conversations_;
  std::vector<LogListener*> listeners_;
};

namespace {

/** Never destroyed: TensorRT may log until the process is gone. */
Logger& processLogger() {
  static auto* instance = new Logger();
  return *instance;
}

}  // namespace

nvinfer1::ILogger& logger() { return processLogger(); }

Conversation::Conversation(const void* owner) : owner_(owner), outer_(current) {
  processLogger().add(this);
  current = this;
}

Conversation::~Conversation() {
  current = outer_;
  processLogger().remove(this);
}

Failure Conversation::failure(const std::string& sentence) const {
  std::string message = sentence;
  const std::vector<std::string> errors = processLogger().errorsOf(*this);
  for (size_t i = 0; i < errors.size(); i++) message += (i == 0 ? ": " : "; ") + errors[i];
  if (!saysOutOfMemory(message)) return {Code::kTensorrt, message};
  return {Code::kMemory, message + " (GPU bytes: " + memoryLeft() + ")"};
}

LogListener::LogListener(Napi::Env env, Napi::Function function, const void* owner)
    : env_(env), queue_(Queue::New(env, function, "TensorRT log", 0, 1)), owner_(owner) {
  queue_.Unref(env);
  // added after the queue's own hook, so run before it: from then on nothing may be queued
  napi_add_env_cleanup_hook(env_, closeAtExit, this);
  processLogger().add(this);
}

LogListener::~LogListener() { close(); }

void LogListener::close() {
  if (closed_) return;
  closed_ = true;
  processLogger().remove(this);
  napi_remove_env_cleanup_hook(env_, closeAtExit, this);
  queue_.Abort();
}

void LogListener::deliver(Napi::Env env, Napi::Function function, std::nullptr_t*, Message* message) {
  const std::unique_ptr<Message> owned(message);
  // no environment: it is being torn down, and nobody listens any more
  if (env == nullptr) return;
  function.Call({Napi::String::New(env, name(owned->severity)), Napi::String::New(env, owned->text)});
}
