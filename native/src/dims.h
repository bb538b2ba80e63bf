/** Dimensions of tensors. */
#pragma once

#include <NvInferRuntime.h>
#include <napi.h>

#include <string>

/** An argument: at most eight sizes from 0. Throws a Failure `misuse` that names it. */
nvinfer1::Dims dims(const Napi::Value& value, const std::string& name);

Napi::Array toArray(Napi::Env env, const nvinfer1::Dims& dims);

/** For messages, as [1, 80, -1]. */
std::string toText(const nvinfer1::Dims& dims);

/** Whether a size is not known: −1. */
bool isOpen(const nvinfer1::Dims& dims);

bool areEqual(const nvinfer1::Dims& a, const nvinfer1::Dims& b);
