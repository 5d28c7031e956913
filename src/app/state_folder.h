// The state folder: what lies where, made with the right modes, and its lock, which says whose it is.
//
//   .neuraldeck/            0700
//     .gitignore            "*": the folder never enters a repository
//     neuraldeck.toml       configuration, if there is one
//     secrets.enc           the vault
//     audit/                the audit log
//     state/                deck.db, lock, control.sock
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace nd::app {

class StateFolder {
 public:
  explicit StateFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string vault() const { return path_ + "/secrets.enc"; }
  std::string config() const { return path_ + "/neuraldeck.toml"; }
  std::string gitignore() const { return path_ + "/.gitignore"; }
  std::string audit() const { return path_ + "/audit"; }
  std::string state() const { return path_ + "/state"; }
  std::string database() const { return state() + "/deck.db"; }
  std::string lock() const { return state() + "/lock"; }
  std::string control_socket() const { return state() + "/control.sock"; }

  bool Exists() const;
  // Makes what is missing and checks what is there. kForbidden names the chmod or chown to run.
  Result<void> Prepare() const;
  // Whoever holds this may open the stores. kConflict while a server or another command does.
  Result<FileLock> Lock() const;

 private:
  std::string path_;
};

}  // namespace nd::app
