// The system calls the audit writer makes on files it adds to, as a dependency, so that full and failing disks can be
// tested. Each returns what the call returns and leaves errno.
//
// Used by one thread at a time. Not for reading: that is never what fails closed.
#pragma once

#include <sys/types.h>

#include <string>

namespace nd::audit {

class Disk {
 public:
  virtual ~Disk() = default;
  virtual int Open(const std::string& path, int flags, mode_t mode);
  virtual ssize_t Write(int fd, const void* bytes, std::size_t size);
  virtual int DataSync(int fd);
  virtual int Truncate(int fd, off_t size);
  // Returns an error number instead of setting errno, as posix_fallocate does.
  virtual int Allocate(int fd, off_t size);
};

}  // namespace nd::audit
