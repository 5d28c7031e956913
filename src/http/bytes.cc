#include "http/bytes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/secret.h"

namespace nd::http {

void Bytes::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(Extend(bytes.size()), bytes.data(), bytes.size());
}

void Bytes::AppendByte(char byte) { *Extend(1) = byte; }

char* Bytes::Extend(std::size_t size) {
  char* at = Prepare(size);
  size_ += size;
  return at;
}

char* Bytes::Prepare(std::size_t size) {
  if (capacity_ - size_ < size) Grow(size_ + size);
  return data_.get() + size_;
}

void Bytes::RemovePrefix(std::size_t size) {
  const std::size_t rest = size_ - size;
  if (rest != 0) std::memmove(data_.get(), data_.get() + size, rest);
  dirty_ = std::max(dirty_, size_);
  size_ = rest;
}

void Bytes::Clear(Wipe wipe) {
  dirty_ = std::max(dirty_, size_);
  if (wipe == Wipe::kYes && dirty_ != 0) {
    WipeMemory(data_.get(), dirty_);
    dirty_ = 0;
  }
  size_ = 0;
}

void Bytes::Free() {
  Clear(Wipe::kYes);
  data_.reset();
  capacity_ = 0;
}

void Bytes::Swap(Bytes& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(dirty_, other.dirty_);
}

void Bytes::Grow(std::size_t needed) {
  const std::size_t capacity = std::max({needed, capacity_ + capacity_ / 2, std::size_t{1024}});
  std::unique_ptr<char[]> grown(new char[capacity]);
  if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
  if (data_ != nullptr) WipeMemory(data_.get(), std::max(dirty_, size_));
  data_ = std::move(grown);
  dirty_ = 0;
  capacity_ = capacity;
}

}  // namespace nd::http
