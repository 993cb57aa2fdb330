#include "mail/folder_provider.hpp"

namespace latchkey::mail {

Result<std::shared_ptr<Mailbox>> MailProviders::MailboxFor(const ConnectedAccountId& account,
                                                           std::string_view provider) {
  if (auto history = For(account, provider)) return std::shared_ptr<Mailbox>(std::move(*history));
  auto folders = FoldersFor(account, provider);
  if (!folders) return std::unexpected(std::move(folders.error()));
  return std::shared_ptr<Mailbox>(std::move(*folders));
}

}  // namespace latchkey::mail
