/** Arguments of calls from JavaScript, checked; what is wrong is a Failure `misuse` that names the argument. */
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

/** The largest integer that a JavaScript number holds exactly. */
constexpr int64_t kMaxCount = 9007199254740991;

/** An integer from 0 to `most`. */
int64_t count(const Napi::Value& value, const char* name, int64_t most = kMaxCount);

std::string text(const Napi::Value& value, const char* name);
