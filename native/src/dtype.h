/** Types of tensors' elements. */
#pragma once

#include <NvInferRuntime.h>

#include <cstddef>

/** NativeDType of src/runtime/addon.ts. Throws a Failure `tensorrt` for a type that is newer than the addon. */
const char* nameOf(nvinfer1::DataType type);

/** Bytes of a tensor without gaps; elements of four bits share bytes. */
size_t bytesOf(const nvinfer1::Dims& dims, nvinfer1::DataType type);
