/** Memory of the GPU and page-locked memory of the host, freed with their owners. */
#pragma once

#include <cstddef>

class Memory {
 public:
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* at(size_t offset) const { return static_cast<char*>(address_) + offset; }
  size_t bytes() const { return bytes_; }

 protected:
  explicit Memory(size_t bytes) : bytes_(bytes) {}
  void* address_ = nullptr;

 private:
  size_t bytes_;
};

/** Throws a Failure `memory` with the requested and the free bytes. */
class DeviceMemory final : public Memory {
 public:
  explicit DeviceMemory(size_t bytes);
  ~DeviceMemory() override;
};

/** Throws a Failure `memory`. */
class PinnedMemory final : public Memory {
 public:
  explicit PinnedMemory(size_t bytes);
  ~PinnedMemory() override;
};
