#include "app/state_folder.h"

#include <sys/stat.h>
#include <unistd.h>

namespace nd::app {

bool StateFolder::Exists() const { return access(state().c_str(), F_OK) == 0; }

Result<void> StateFolder::Prepare() const {
  for (const std::string& directory : {path_, state(), audit()}) {
    ND_TRY(EnsurePrivateDirectory(directory));
    struct stat info;
    if (stat(directory.c_str(), &info) != 0) return InternalErrno("stat " + directory, errno);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      return Forbidden("The state folder is open to other users. Run: chmod 700 " + directory);
    }
  }
  for (const std::string& file : {vault(), database(), lock()}) {
    if (access(file.c_str(), F_OK) == 0) ND_TRY(RequirePrivateFile(file));
  }
  if (access(gitignore().c_str(), F_OK) != 0) {
    if (auto created = CreateFileDurably(gitignore(), "*\n");
        !created.ok() && created.error().kind != ErrorKind::kConflict) {
      return created;
    }
  }
  return {};
}

Result<FileLock> StateFolder::Lock() const {
  auto held = FileLock::Acquire(lock());
  if (!held.ok() && held.error().kind == ErrorKind::kConflict) {
    return Conflict("The state folder " + path_ +
                    " is in use by another NeuralDeck process. Stop that server first, or choose another --data-dir.");
  }
  return held;
}

}  // namespace nd::app
