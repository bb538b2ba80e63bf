/// Objects that are alive in the stand-in, counted where a test can read them: in the file FAKE_COUNTS, which is mapped
/// into memory, one int64 a kind, in this order.
#pragma once

#include <cstdint>

namespace fake {

enum class Kind {
  kDeviceMemory,
  kHostMemory,
  kStream,
  kEvent,
  kGraph,
  kGraphExec,
  kBuilder,
  kNetwork,
  kConfig,
  kTimingCache,
  kHostBlob,
  kParser,
  kRuntime,
  kEngine,
  kContext,
  kKinds
};

void count(Kind kind, int64_t delta);

/// A member or base of whatever is counted.
class Counted {
public:
  explicit Counted(Kind kind) : mKind(kind) { count(kind, 1); }
  ~Counted() { count(mKind, -1); }
  Counted(Counted const&) = delete;
  Counted& operator=(Counted const&) = delete;

private:
  Kind mKind;
};

/// Ends the process: the caller did what a real library leaves undefined.
[[noreturn]] void undefined(char const* what);

}  // namespace fake
