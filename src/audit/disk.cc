#include "audit/disk.h"

#include <fcntl.h>
#include <unistd.h>

namespace nd::audit {

int Disk::Open(const std::string& path, int flags, mode_t mode) { return open(path.c_str(), flags, mode); }
ssize_t Disk::Write(int fd, const void* bytes, std::size_t size) { return write(fd, bytes, size); }
int Disk::DataSync(int fd) { return fdatasync(fd); }
int Disk::Truncate(int fd, off_t size) { return ftruncate(fd, size); }
int Disk::Allocate(int fd, off_t size) { return posix_fallocate(fd, 0, size); }

}  // namespace nd::audit
