#include "oauth/transaction.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/hash.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::oauth {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxReturnPath = 1024;
constexpr std::size_t kMaxCode = 4096;
constexpr std::size_t kMaxSealed = 8192;
constexpr std::size_t kMaxDescription = 2048;

std::string Text(const bj::object& object, std::string_view name) {
  return std::string(crypto::StringMember(object, name).value_or(""));
}

/// What was sealed came from us, so any other shape is a broken invariant; still, it is answered as a mismatch.
Result<Transaction> Decode(std::string_view text) {
  crypto::JsonFault fault{};
  const auto object = crypto::ParseStrictObject(text, kMaxSealed, fault);
  if (!object) return Fail(ErrorCode::kStateMismatch, "transaction is not an object");
  auto state = State::Parse(Text(*object, "state"));
  auto nonce = Nonce::Parse(Text(*object, "nonce"));
  auto verifier = PkceVerifier::Parse(Text(*object, "verifier"));
  const bj::value* created = object->if_contains("created");
  const bj::value* setup = object->if_contains("setup");
  if (!state || !nonce || !verifier || created == nullptr || !created->is_int64()) {
    return Fail(ErrorCode::kStateMismatch, "transaction lacks a member");
  }
  return Transaction{.state = std::move(*state),
                     .nonce = std::move(*nonce),
                     .verifier = std::move(*verifier),
                     .provider = Text(*object, "provider"),
                     .flow = Text(*object, "flow") == ToString(Flow::kConnect) ? Flow::kConnect : Flow::kSignIn,
                     .return_to = Text(*object, "return"),
                     .created_at = FromMicros(created->get_int64()),
                     .claims_setup = setup != nullptr && setup->is_bool() && setup->get_bool(),
                     .previous_session_hash = Text(*object, "previous"),
                     .user_id = Text(*object, "user"),
                     .session_id = Text(*object, "session"),
                     .attempt_id = Text(*object, "attempt")};
}

}  // namespace

TransactionCookie Transactions::Seal(const Transaction& transaction) const {
  bj::object object{{"state", transaction.state.text()},
                    {"nonce", transaction.nonce.text()},
                    {"verifier", transaction.verifier.secret().Reveal()},
                    {"provider", transaction.provider},
                    {"flow", bj::string(std::string(ToString(transaction.flow)))},
                    {"return", transaction.return_to},
                    {"created", ToMicros(transaction.created_at)}};
  if (transaction.claims_setup) object["setup"] = true;
  if (!transaction.previous_session_hash.empty()) object["previous"] = transaction.previous_session_hash;
  if (!transaction.user_id.empty()) object["user"] = transaction.user_id;
  if (!transaction.session_id.empty()) object["session"] = transaction.session_id;
  if (!transaction.attempt_id.empty()) object["attempt"] = transaction.attempt_id;
  return {.name = CookieName(transaction.state.text()),
          .value = box_.Seal(bj::serialize(object), transaction.created_at + kTransactionLifetime),
          .max_age = kTransactionLifetime};
}

Result<Transaction> Transactions::Open(const CallbackRequest& callback, Flow flow, Instant now) const {
  const auto parameters = RedirectParameters::Parse(callback.query);
  if (!parameters) return Fail(parameters.error());
  const auto sealed = callback.cookie(CookieName(parameters->state));
  if (!sealed) return Fail(ErrorCode::kStateMismatch, "no transaction cookie for this state");
  const auto clear = box_.Open(*sealed, now);
  if (!clear) return Fail(clear.error());
  auto transaction = Decode(*clear);
  if (!transaction) return transaction;
  if (!crypto::EqualConstantTime(transaction->state.text(), parameters->state)) {
    return Fail(ErrorCode::kStateMismatch, "state differs from the transaction's");
  }
  if (transaction->provider != callback.provider || transaction->flow != flow) {
    return Fail(ErrorCode::kStateMismatch, "transaction of another provider or flow");
  }
  return transaction;
}

std::string Transactions::CookieName(std::string_view state) const {
  // Part of a digest: several flows may run in one browser, and names must not be made by whoever writes the query.
  const std::string name = "latchkey_txn_" + crypto::Sha256Hex(state).substr(0, 16);
  return secure_ ? "__Host-" + name : name;
}

Result<RedirectParameters> RedirectParameters::Parse(const std::vector<std::pair<std::string, std::string>>& query) {
  std::optional<std::string> state;
  std::optional<std::string> code;
  std::optional<std::string> error;
  std::optional<std::string> issuer;
  RedirectError refused;
  for (const auto& [name, value] : query) {
    if (name == "error_description") refused.description = value.substr(0, kMaxDescription);
    if (name == "suberror" || name == "error_subcode") refused.suberror = value.substr(0, kMaxDescription);
    std::optional<std::string>* slot = name == "state"   ? &state
                                       : name == "code"  ? &code
                                       : name == "error" ? &error
                                       : name == "iss"   ? &issuer
                                                         : nullptr;
    if (slot == nullptr) continue;
    if (slot->has_value()) return Fail(ErrorCode::kStateMismatch, "a parameter of the response occurs twice");
    *slot = value;
  }
  if (!state || !State::Parse(*state)) return Fail(ErrorCode::kStateMismatch, "response without a state of ours");
  if (code.has_value() == error.has_value()) {
    return Fail(ErrorCode::kStateMismatch, "response must have either a code or an error");
  }
  if (error && error->empty()) return Fail(ErrorCode::kStateMismatch, "error is empty");
  if (code && (code->empty() || code->size() > kMaxCode)) {
    return Fail(ErrorCode::kStateMismatch, "code is empty or too long");
  }
  refused.error = std::move(error).value_or("");
  return RedirectParameters{.state = std::move(*state),
                            .code = SecretString(std::move(code).value_or("")),
                            .error = std::move(refused),
                            .issuer = std::move(issuer)};
}

std::string SafeReturnPath(std::string_view text) {
  // Browsers read "//host" and "/\host" as another host, and drop tabs and line breaks before they look.
  if (text.empty() || text.size() > kMaxReturnPath || text[0] != '/') return "/";
  if (text.size() > 1 && (text[1] == '/' || text[1] == '\\')) return "/";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '\\') return "/";
  }
  return std::string(text);
}

}  // namespace latchkey::oauth
