#pragma once

#include <memory>
#include <string_view>

#include "async/worker_pool.hpp"
#include "mail/folder_provider.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {

/// A mailbox at Outlook. `client` is the account's own; `pool` must outlive the mailbox.
std::shared_ptr<mail::FolderMailProvider> MakeGraphMailbox(std::shared_ptr<GraphClient> client, WorkerPool& pool);

}  // namespace latchkey::microsoft
