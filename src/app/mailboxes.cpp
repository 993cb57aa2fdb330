#include "app/mailboxes.hpp"

#include "providers/microsoft/graph_mail.hpp"

namespace latchkey::app {

microsoft::GraphOptions GraphOptionsOf(const config::Settings& settings) {
  microsoft::GraphOptions options;
  options.base_url = settings.microsoft.graph_url;
  options.max_concurrency = settings.microsoft.max_concurrency;
  options.max_total_concurrency = settings.microsoft.max_total_concurrency;
  return options;
}

Result<std::shared_ptr<mail::MailProvider>> Mailboxes::For(const ConnectedAccountId& account,
                                                           std::string_view provider) {
  return gmail_.For(account, provider);
}

Result<std::shared_ptr<mail::FolderMailProvider>> Mailboxes::FoldersFor(const ConnectedAccountId& account,
                                                                        std::string_view provider) {
  if (provider != "microsoft") return Fail(ErrorCode::kNotFound, "no folders at this provider");
  return microsoft::MakeGraphMailbox(graph_.For(account), workers_);
}

}  // namespace latchkey::app
