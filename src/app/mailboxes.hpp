#pragma once

#include <memory>
#include <string_view>

#include "config/settings.hpp"
#include "mail/folder_provider.hpp"
#include "providers/google/gmail.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::app {

/// The limits and address of Microsoft Graph that the settings name.
microsoft::GraphOptions GraphOptionsOf(const config::Settings& settings);

/// The mailboxes of all providers. What it is given outlives it. Loop thread only.
class Mailboxes final : public mail::MailProviders {
 public:
  Mailboxes(google::GmailProviders& gmail, microsoft::GraphClients& graph, WorkerPool& workers)
      : gmail_(gmail), graph_(graph), workers_(workers) {}

  Result<std::shared_ptr<mail::MailProvider>> For(const ConnectedAccountId& account,
                                                  std::string_view provider) override;
  Result<std::shared_ptr<mail::FolderMailProvider>> FoldersFor(const ConnectedAccountId& account,
                                                               std::string_view provider) override;

 private:
  google::GmailProviders& gmail_;
  microsoft::GraphClients& graph_;
  WorkerPool& workers_;
};

}  // namespace latchkey::app
