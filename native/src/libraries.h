/** TensorRT's, the parser's and CUDA's libraries: opened once per process by load(), never closed. */
#pragma once

#include <NvInfer.h>
#include <NvInferRuntime.h>

#include <optional>
#include <string>

#include "cuda.h"

struct Libraries {
  Cuda cuda;
  void* (*createBuilder)(void* logger, int32_t version) = nullptr;
  void* (*createRuntime)(void* logger, int32_t version) = nullptr;
  void* (*createParser)(void* network, void* logger, int version) = nullptr;
  /** `major.minor.patch.build` of the TensorRT that was found. */
  std::string tensorrt;
  std::string parser;
  /** `13.3` */
  std::string cudaRuntime;
};

/** Version of TensorRT's headers, as `major.minor.patch.build`. */
std::string headersVersion();

/** CUDA's `13030` as `13.3`. */
std::string cudaVersion(int version);

/**
 * Opens the libraries in `folder`, or where the loader finds them. The first answer, or failure, stays for the process.
 * Throws a Failure `library` or `version`, and `misuse` for another folder than the first.
 */
const Libraries& load(const std::optional<std::string>& folder);

/** What load() opened. Throws a Failure `misuse` before. */
const Libraries& libraries();

/** A function of an open library; throws a Failure `library` that names it and the file if it is not there. */
void* symbol(void* library, const char* name, const char* file);
