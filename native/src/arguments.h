/** Arguments of calls from JavaScript, checked; whatever is wrong is a Failure `misuse` that names the argument. */
#pragma once

#include <NvInferRuntime.h>
#include <napi.h>

#include <cstdint>
#include <limits>
#include <string>

/** The largest integer that a JavaScript number holds exactly. */
constexpr int64_t kMaxCount = 9007199254740991;

/** An integer from 0 to `most`. */
int64_t count(const Napi::Value& value, const char* name, int64_t most = kMaxCount);

std::string text(const Napi::Value& value, const char* name);

/** At most eight sizes from 0. */
nvinfer1::Dims dims(const Napi::Value& value, const std::string& name);

Napi::Array toArray(Napi::Env env, const nvinfer1::Dims& dims);

/** NativeDType. */
const char* nameOf(nvinfer1::DataType type);

/** [1, 80, −1] for messages, as [1, 80, -1]. */
std::string toText(const nvinfer1::Dims& dims);
