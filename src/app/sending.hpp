#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/mail_sender.hpp"

namespace latchkey::app {

/// The senders of all providers behind one face.
class Senders final : public mail::MailSenders {
 public:
  void Add(std::unique_ptr<mail::MailSenders> provider) { providers_.push_back(std::move(provider)); }

  Result<std::shared_ptr<mail::MailSender>> For(const ConnectedAccountId& account, std::string_view provider) override {
    for (const auto& candidate : providers_) {
      auto sender = candidate->For(account, provider);
      if (sender || sender.error().code != ErrorCode::kNotFound) return sender;
    }
    return Fail(ErrorCode::kProviderNotConfigured, "no sender for this provider");
  }

 private:
  std::vector<std::unique_ptr<mail::MailSenders>> providers_;
};

}  // namespace latchkey::app
