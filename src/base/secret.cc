#include "base/secret.h"

#include <strings.h>

#include <cstring>
#include <utility>

namespace nd {

void WipeMemory(void* data, std::size_t size) {
  if (size != 0) explicit_bzero(data, size);
}

bool EqualConstantTime(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  }
  return difference == 0;
}

Secret::Secret(std::string_view bytes) : data_(bytes.empty() ? nullptr : new char[bytes.size()]), size_(bytes.size()) {
  if (size_ != 0) std::memcpy(data_, bytes.data(), size_);
}

Secret Secret::OfSize(std::size_t size) {
  Secret secret;
  secret.data_ = size == 0 ? nullptr : new char[size]();
  secret.size_ = size;
  return secret;
}

Secret::~Secret() {
  if (data_ != nullptr) {
    WipeMemory(data_, size_);
    delete[] data_;
  }
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace nd
