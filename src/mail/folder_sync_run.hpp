#pragma once

#include <memory>

#include "mail/folder_sync.hpp"

namespace latchkey::mail {

/// One run of one of the jobs, passed along by FolderSync's own functions.
struct FolderSync::Run {
  const jobs::Job& job;
  WriteFence fence;
  const AccountStatus::Account& account;
  std::shared_ptr<FolderMailProvider> provider;
  Instant started;
  bool backfill = false;
  int pages = 0;
  bool found_changes = false;
  bool cut_short = false;  ///< More is waiting than this run may do.
};

}  // namespace latchkey::mail
