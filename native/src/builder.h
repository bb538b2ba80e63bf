/** Building: an .onnx file to a plan on disk, on whichever thread calls. */
#pragma once

#include <NvInfer.h>
#include <napi.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine.h"
#include "progress.h"

/** Ranges of inputs by name. */
using Profile = std::map<std::string, Range>;

/** BuildOptions of src/runtime/addon.ts. */
struct BuildOptions {
  std::string onnx;
  std::string plan;
  std::vector<Profile> profiles;
  std::optional<size_t> workspaceBytes;
  std::optional<std::string> timingCache;
  std::optional<int> optimizationLevel;
  bool tf32;
};

/** Throws a Failure `misuse` for what is no BuildOptions. */
BuildOptions readBuildOptions(const Napi::Value& value);

struct BuildReport {
  size_t planBytes;
  int32_t layers;
  double seconds;
};

/**
 * Builds on the calling thread's GPU; takes minutes.
 * @param owner of the log's listeners
 * Throws a Failure: `misuse` for files and profiles, `cancelled`, `tensorrt`, `memory`.
 */
BuildReport build(const BuildOptions& options, ProgressMonitor& progress, const void* owner);
