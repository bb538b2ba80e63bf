/** Files: mapped for reading, written as a whole or not at all. */
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

/** A file in memory without a copy. Throws a Failure `misuse` if it cannot be read or is empty. */
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/** A file that appears under its name when commit() is called, and is removed if that never happens. */
class AtomicFile {
 public:
  /** Throws a Failure `misuse` if it cannot be created. */
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /** Whether all bytes were written; if not, error() tells why. */
  bool write(const void* data, size_t bytes) noexcept;
  size_t bytes() const { return bytes_; }
  /** What went wrong, as a sentence; empty if nothing did. */
  std::string error() const;
  /** Throws a Failure `tensorrt` with error(). */
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  std::FILE* file_ = nullptr;
  size_t bytes_ = 0;
  int errno_ = 0;
};
