#include "http/output.h"

namespace nd::http {

Output::Flushed Output::FlushTo(net::Stream& stream) {
  while (pending() != 0) {
    const net::IoResult result = stream.Write(bytes_.view().substr(sent_));
    if (result.status == net::IoStatus::kWouldBlock) {
      // Moving only what is smaller than what was sent keeps the cost linear.
      if (sent_ >= pending()) {
        bytes_.RemovePrefix(sent_);
        sent_ = 0;
      }
      return Flushed::kBlocked;
    }
    if (result.status != net::IoStatus::kDone) return Flushed::kFailed;
    sent_ += result.bytes;
  }
  Clear();
  return Flushed::kAll;
}

void Output::Clear() {
  bytes_.Clear(sensitive_ ? Bytes::Wipe::kYes : Bytes::Wipe::kNo);
  sent_ = 0;
  sensitive_ = false;
}

}  // namespace nd::http
