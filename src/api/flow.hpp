#pragma once

#include <string>

#include "api/call.hpp"
#include "oauth/transaction.hpp"

/// What the two authorization flows share at the HTTP edge.
namespace latchkey::api {

/// 307 to the provider with the transaction cookie. The only redirect of ours that leaves registered origins: its
/// address was built from the provider's discovery document. When this browser holds many cookies of flows that it
/// never finished, those are cleared: together they would grow beyond what a request may carry.
http::Response RedirectToProvider(const Call& call, const oauth::StartedFlow& flow);

/// The request as the flows read it; refers to the call, which must outlive it.
oauth::CallbackRequest MakeCallback(Call& call);

/// Nothing when `name` is empty.
void ClearTransaction(http::Response& response, const std::string& name);

}  // namespace latchkey::api
