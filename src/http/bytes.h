// A growing byte buffer that leaves nothing behind: memory is wiped before it is given back, also when the buffer
// grows.
//
// Not thread-safe. Bodies and answers carry passwords, keys and tokens; std::string would leave copies in the heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace nd::http {

class Bytes {
 public:
  Bytes() = default;
  ~Bytes() { Free(); }
  Bytes(Bytes&& other) noexcept { Swap(other); }
  Bytes& operator=(Bytes&& other) noexcept {
    Swap(other);
    return *this;
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  char* data() { return data_.get(); }
  std::string_view view() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t capacity() const { return capacity_; }

  void Append(std::string_view bytes);
  void AppendByte(char byte);
  // Makes `size` more bytes part of the buffer, uninitialised, and returns where they start.
  char* Extend(std::size_t size);
  // Room for `size` bytes after the content, not yet part of it; Commit makes the first `size` of them part of it.
  char* Prepare(std::size_t size);
  void Commit(std::size_t size) { size_ += size; }
  // Removes the first `size` bytes.
  void RemovePrefix(std::size_t size);

  enum class Wipe : std::uint8_t { kNo, kYes };
  // Empties the buffer and keeps its memory.
  void Clear(Wipe wipe = Wipe::kYes);
  // Wipes and gives the memory back.
  void Free();

 private:
  void Swap(Bytes& other) noexcept;
  void Grow(std::size_t needed);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t dirty_ = 0;  // bytes from the start that may still hold content that was cleared without wiping
};

}  // namespace nd::http
