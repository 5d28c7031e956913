#include "session/store_errors.h"

namespace nd::session {

Error UserExists() { return Conflict("A user of this name exists already. Choose another name."); }
Error NoSuchUser() { return NotFound("There is no user of this name."); }
Error NoSuchSession() { return NotFound("There is no such session; it may have ended already."); }
Error LastAdmin() {
  return Conflict("This is the last active administrator. Make another user an administrator first.");
}
Error SetupIsOver() {
  return Conflict("This deck is set up already. Sign in, or ask an administrator for an account.");
}
Error SetupTokenRefused() {
  return Unauthenticated(
      "The setup link is not valid: it was used, replaced, or is older than 15 minutes. Restart the "
      "server to get a new one.");
}
Error ChangedMeanwhile() { return Conflict("Someone else changed this at the same time. Look again and repeat."); }
Error StoreFailed(std::string detail) {
  return Unavailable(
      "The server could not store the change, so nothing was changed. Try again; if it stays so, the "
      "administrator should look at free disk space.",
      std::move(detail), 5);
}

}  // namespace nd::session
