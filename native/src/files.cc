#include "files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "failure.h"

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor >= 0) close(descriptor);
    throw misuse("the file " + quoted(path) + " cannot be read: " + reason);
  }
  bytes_ = static_cast<size_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || bytes_ == 0) {
    close(descriptor);
    throw misuse(quoted(path) + (S_ISREG(status.st_mode) ? " is empty" : " is not a file"));
  }
  data_ = mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int reason = errno;
  close(descriptor);
  if (data_ == MAP_FAILED)
    throw misuse("the file " + quoted(path) + " cannot be mapped: " + std::strerror(reason));
}

MappedFile::~MappedFile() { munmap(data_, bytes_); }

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  static std::atomic<unsigned> written{0};
  temporary_ = path + '.' + std::to_string(getpid()) + '-' + std::to_string(written++) + ".part";
  file_ = std::fopen(temporary_.c_str(), "wbxe");
  if (!file_) throw misuse("the file " + quoted(temporary_) + " cannot be created: " + std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (file_) std::fclose(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

bool AtomicFile::write(const void* data, size_t bytes) noexcept {
  if (errno_ != 0) return false;
  const size_t done = std::fwrite(data, 1, bytes, file_);
  bytes_ += done;
  if (done < bytes) errno_ = errno;
  return done == bytes;
}

std::string AtomicFile::error() const {
  if (errno_ == 0) return "";
  return "the file " + quoted(path_) + " cannot be written: " + std::strerror(errno_);
}

void AtomicFile::commit() {
  if (errno_ == 0 && std::fclose(std::exchange(file_, nullptr)) != 0) errno_ = errno;
  if (errno_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) errno_ = errno;
  if (errno_ != 0) throw Failure(Code::kTensorrt, error());
  temporary_.clear();
}
