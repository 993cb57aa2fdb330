#include "identity/sessions.hpp"

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "oauth/email_address.hpp"

namespace latchkey::identity {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenLength = 43;
constexpr std::size_t kMaxUserAgent = 200;

}  // namespace

Sessions::Sessions(IdentityStore& store, const Clock& clock, const SecretString& session_secret, SessionLimits limits)
    : store_(store), clock_(clock), csrf_key_(crypto::DeriveKey(session_secret, "csrf token")), limits_(limits) {}

std::string Sessions::CookieName(bool secure) { return secure ? "__Host-latchkey_session" : "latchkey_session"; }

Task<Result<Sessions::Current>> Sessions::Authenticate(const SecretString& cookie_value) {
  // What cannot be ours costs no query.
  if (cookie_value.Reveal().size() != kTokenLength) co_return Fail(ErrorCode::kUnauthenticated, "not a session id");
  const std::string hash = crypto::Sha256Hex(cookie_value.Reveal());
  const Instant seen_since = clock_.Now() - limits_.idle;
  auto found = co_await store_.FindSession(hash, seen_since);
  if (!found) co_return Fail(found.error());
  co_return Current{
      .session = std::move(found->session), .user = std::move(found->user), .csrf_token = CsrfToken(cookie_value)};
}

std::string Sessions::CsrfToken(const SecretString& cookie_value) const {
  return Base64UrlEncode(crypto::HmacSha256(csrf_key_.Reveal(), cookie_value.Reveal()));
}

bool Sessions::CsrfMatches(const SecretString& cookie_value, std::string_view presented) const {
  return crypto::EqualConstantTime(CsrfToken(cookie_value), presented);
}

Sessions::Issued Sessions::Issue(std::string_view user_agent, std::string_view address) const {
  const Instant now = clock_.Now();
  SecretString value(RandomToken(kTokenBytes));
  Session session{.id = SessionId::New(now),
                  .user_id = {},
                  .token_hash = crypto::Sha256Hex(value.Reveal()),
                  .csrf_hash = crypto::Sha256Hex(CsrfToken(value)),
                  .created_at = now,
                  .last_seen_at = now,
                  .expires_at = now + limits_.absolute,
                  .user_agent = oauth::CleanDisplayText(user_agent, kMaxUserAgent),
                  .address = std::string(address)};
  return {.cookie_value = std::move(value), .session = std::move(session)};
}

Task<Result<std::vector<Session>>> Sessions::List(const UserId& user) { co_return co_await store_.ListSessions(user); }

Task<Result<void>> Sessions::End(const UserId& user, const SessionId& id) {
  auto ended = co_await store_.EndSession(user, id);
  if (ended) co_await store_.Audit("session.ended", user, R"({"by":"user"})");
  co_return ended;
}

Task<Result<void>> Sessions::EndAll(const UserId& user) {
  auto ended = co_await store_.EndAllSessions(user);
  if (ended) co_await store_.Audit("session.all_ended", user, R"({"by":"user"})");
  co_return ended;
}

}  // namespace latchkey::identity
