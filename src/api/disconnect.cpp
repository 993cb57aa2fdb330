#include "connected_accounts/disconnect.hpp"

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "telemetry/log.hpp"

namespace latchkey::api {
namespace {

http::Response ErasureResponse(int status, const connected_accounts::ErasureReceipt& receipt) {
  json::Writer out;
  WriteErasure(out, receipt);
  return Json(status, out.Take());
}

Answer BeginErase(Call& call, const ConnectedAccountId& id) {
  auto receipt = co_await call.services.disconnect.Begin(call.user().id, id);
  if (!receipt) co_return Fail(receipt.error());
  log::Info("account.disconnect_requested", {{"request_id", call.request.request_id}, {"account_id", id}});
  co_return ErasureResponse(202, *receipt);
}

}  // namespace

Answer DisconnectAccount(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  co_return co_await BeginErase(call, *id);
}

Answer DisconnectByProvider(Call& call) {
  auto accounts = co_await call.services.accounts.List(call.user().id);
  if (!accounts) co_return Fail(accounts.error());
  const auto provider = call.request.PathParameter("provider");
  std::erase_if(*accounts, [&](const auto& view) { return view.account.provider != provider; });
  if (accounts->empty()) co_return Fail(ErrorCode::kNotFound, "no account of that provider");
  if (accounts->size() > 1) co_return Fail(ErrorCode::kConflict, "several accounts of that provider");
  co_return co_await BeginErase(call, accounts->front().account.id);
}

Answer PreviewErasure(Call& call) {
  auto id = PathId<ConnectedAccountId>(call);
  if (!id) co_return Fail(id.error());
  auto account = co_await call.services.accounts.Get(call.user().id, *id);
  if (!account) co_return Fail(account.error());
  auto counts = co_await call.services.disconnect.Preview(call.user().id, *id);
  if (!counts) co_return Fail(counts.error());
  auto sharing = co_await call.services.account_store.CountSharingGrant(account->account.provider,
                                                                        account->account.provider_account_id, *id);
  if (!sharing) co_return Fail(sharing.error());
  json::Writer out;
  out.BeginObject().Member("account_id", id->text()).Key("counts").BeginObject();
  for (const auto& [table, count] : *counts) out.Member(table, count);
  const auto provider = call.services.providers.Find(account->account.provider);
  const bool offered = provider && (*provider)->OffersRevocation();
  out.EndObject().Member("revokes_grant", offered && *sharing == 0);
  const std::string page = provider ? (*provider)->GrantsPage(account->account.provider_account_id) : std::string();
  WriteText(out, "grants_page", page);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetErasure(Call& call) {
  const std::string id(call.request.PathParameter("id"));
  if (!IsUuid(id)) co_return Fail(ErrorCode::kNotFound);
  auto receipt = co_await call.services.disconnect.Receipt(call.user().id, id);
  if (!receipt) co_return Fail(receipt.error());
  co_return ErasureResponse(200, *receipt);
}

}  // namespace latchkey::api
