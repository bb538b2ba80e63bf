/** Native.build(): a build on a thread of its own. */
#pragma once

#include <napi.h>

Napi::Value startBuild(const Napi::CallbackInfo& info);
