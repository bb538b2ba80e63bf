/**
 * TensorRT's log. One logger serves the process and lives as long as it; messages go to the listeners of the
 * environment that called TensorRT, and errors also into the exception of that call.
 */
#pragma once

#include <NvInferRuntime.h>
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "failure.h"

/** The logger that every object of TensorRT is made with. */
nvinfer1::ILogger& logger();

/**
 * Put on the stack around calls of TensorRT: collects what it reports as errors from this thread (and from TensorRT's
 * own threads, which belong to nobody), and tells whose log this is.
 */
class Conversation {
 public:
  /** @param owner of the listeners; any pointer that names an environment */
  explicit Conversation(const void* owner);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /** The failure of a call: `sentence`, then TensorRT's words. `memory` if those say so. */
  Failure failure(const std::string& sentence) const;

 private:
  friend class Logger;
  const void* owner_;
  Conversation* outer_;
  std::vector<std::string> errors_;
};

/** Sends what TensorRT logs to a JavaScript function, on its event loop, without keeping that alive. */
class LogListener {
 public:
  LogListener(Napi::Env env, Napi::Function function, const void* owner);
  /** On the environment's thread, as all but the logging; nothing is delivered afterwards. */
  ~LogListener();
  LogListener(const LogListener&) = delete;
  LogListener& operator=(const LogListener&) = delete;

 private:
  friend class Logger;
  struct Message;
  void close();
  static void deliver(Napi::Env env, Napi::Function function, std::nullptr_t*, Message* message);
  using Queue = Napi::TypedThreadSafeFunction<std::nullptr_t, Message, &LogListener::deliver>;
  static void closeAtExit(void* listener) { static_cast<LogListener*>(listener)->close(); }

  napi_env env_;
  Queue queue_;
  const void* owner_;
  bool closed_ = false;
};
