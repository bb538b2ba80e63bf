/**
 * JavaScript objects over shared handles. The object holds a handle, and so does whatever depends on it (a context on
 * its engine, a graph on what it recorded): `dispose` or the collector let go of the object's hold, and the handle ends
 * with the last one.
 */
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "failure.h"

/**
 * @tparam Self the class; has `kName` and `kTag` (a number of its own, by which objects of JavaScript are recognised)
 * @tparam Handle what its objects hold
 */
template <class Self, class Handle>
class Resource : public Napi::ObjectWrap<Self> {
 public:
  /** The handle of an object given as an argument. Throws a Failure `misuse` for anything else, or if disposed. */
  static std::shared_ptr<Handle> of(const Napi::Value& value, const char* argument) {
    if (!is(value)) throw misuse(std::string(argument) + " must be a " + Self::kName);
    return Self::Unwrap(value.As<Napi::Object>())->handle();
  }

  static bool is(const Napi::Value& value) {
    return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kTypeTag);
  }

  /** Makes an object of a class that JavaScript cannot construct. */
  static Napi::Object wrap(const Napi::FunctionReference& constructor, std::shared_ptr<Handle> handle) {
    return constructor.New({Napi::External<std::shared_ptr<Handle>>::New(constructor.Env(), &handle)});
  }

 protected:
  using Method = Napi::Value (Self::*)(const Napi::CallbackInfo&);

  explicit Resource(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Self>(info) {
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
  }

  /** The handle that wrap() passes to the constructor. */
  static std::shared_ptr<Handle> wrapped(const Napi::CallbackInfo& info, const char* origin) {
    if (info.Length() != 1 || !info[0].IsExternal()) {
      throw misuse(std::string(Self::kName) + " cannot be constructed: it comes from " + origin);
    }
    return *info[0].As<Napi::External<std::shared_ptr<Handle>>>().Data();
  }

  /** A method whose failures become exceptions. */
  template <Method body>
  static auto method(const char* name) {
    return Self::InstanceMethod(name, static_cast<Method>(&Resource::guarded<body>), napi_default_method);
  }

  template <Method body>
  static auto property(const char* name) {
    return Self::InstanceAccessor(name, static_cast<Method>(&Resource::guarded<body>), nullptr,
                                  napi_enumerable);
  }

  static auto disposeMethod() {
    return Self::InstanceMethod("dispose", static_cast<Method>(&Resource::dispose), napi_default_method);
  }

  const std::shared_ptr<Handle>& handle() const {
    if (!handle_) throw misuse(std::string("this ") + Self::kName + " is disposed");
    return handle_;
  }

  /** The handle, or null if disposed. */
  const std::shared_ptr<Handle>& held() const noexcept { return handle_; }

  void hold(std::shared_ptr<Handle> handle) { handle_ = std::move(handle); }

  /** What else has to end with the object. */
  virtual void release() {}

 private:
  static constexpr napi_type_tag kTypeTag = {0x6a1d8f0b5c2e4937, Self::kTag};

  template <Method body>
  Napi::Value guarded(const Napi::CallbackInfo& info) {
    return attempt(info.Env(), [&] { return (static_cast<Self*>(this)->*body)(info); });
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    return attempt(info.Env(), [&] {
      if (handle_) release();
      handle_.reset();
      return info.Env().Undefined();
    });
  }

  std::shared_ptr<Handle> handle_;
};
