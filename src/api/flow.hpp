#pragma once

#include <string>

#include "api/call.hpp"
#include "oauth/transaction.hpp"

/// What the two authorization flows share at the HTTP edge.
namespace latchkey::api {

/// 307 to the provider with the transaction cookie. The only redirect of ours that leaves registered origins: its
/// address was built from the provider's discovery document.
http::Response RedirectToProvider(const oauth::StartedFlow& flow);

/// The request as the flows read it; refers to the call, which must outlive it.
oauth::CallbackRequest MakeCallback(Call& call);

/// Nothing when `name` is empty.
void ClearTransaction(http::Response& response, const std::string& name);

}  // namespace latchkey::api
