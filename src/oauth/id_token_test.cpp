#include "oauth/id_token.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "oauth/testing/token_forge.hpp"

namespace latchkey::oauth {
namespace {

using crypto::Jwks;
using crypto::JwsAlgorithm;
using crypto::TokenFault;
using crypto::UnverifiedJws;
using testing::ForgeKey;

constexpr std::string_view kHeader = R"({"alg":"RS256","kid":"k1","typ":"JWT"})";

class IdToken : public ::testing::Test {
 protected:
  /// "ok", or the name of the fault.
  std::string Check(const std::string& token, const IdTokenRules& rules) {
    const auto jws = UnverifiedJws::Parse(token, rules.algorithms);
    if (!jws) return std::string(ToString(jws.error()));
    const auto* key = keys_.Find(jws->kid());
    if (key == nullptr) return std::string(ToString(TokenFault::kUnknownKey));
    const auto claims = jws->Verify(*key);
    if (!claims) return std::string(ToString(claims.error()));
    const auto person = CheckIdTokenClaims(*claims, rules, nonce_, access_token_, now_);
    if (!person) return std::string(ToString(person.error()));
    person_ = *person;
    return "ok";
  }
  std::string Check(const std::string& token) { return Check(token, rules_); }

  /// Good claims, in which a member of `changes` ("name" -> JSON text) replaces or joins the usual; empty text drops
  /// it.
  std::string Claims(const std::vector<std::pair<std::string, std::string>>& changes = {}) const {
    const auto now = std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count();
    std::vector<std::pair<std::string, std::string>> members{{"iss", R"("https://id.example.test")"},
                                                             {"aud", R"("client-1")"},
                                                             {"sub", R"("subject-1")"},
                                                             {"email", R"("Ada@Example.COM")"},
                                                             {"email_verified", "true"},
                                                             {"iat", std::to_string(now)},
                                                             {"exp", std::to_string(now + 3600)},
                                                             {"nonce", '"' + nonce_->text() + '"'}};
    for (const auto& [name, text] : changes) {
      std::erase_if(members, [&](const auto& member) { return member.first == name; });
      if (!text.empty()) members.emplace_back(name, text);
    }
    std::string out;
    for (const auto& [name, text] : members) out += fmt::format(R"({}"{}":{})", out.empty() ? "" : ",", name, text);
    return '{' + out + '}';
  }
  std::string Seconds(int from_now) const {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(now_).time_since_epoch().count() + from_now);
  }

  const Instant now_ = ParseInstant("2026-03-01T10:00:00Z").value();
  const std::optional<Nonce> nonce_ = Nonce::Generate();
  const SecretString access_token_{"access-1"};
  const IdTokenRules rules_{.issuers = {"https://id.example.test", "id.example.test"},
                            .client_id = "client-1",
                            .algorithms = {JwsAlgorithm::kRs256},
                            .organisation_claim = "hd"};
  // Made once: it takes a good part of a second under sanitizers.
  static inline const ForgeKey rsa_ = ForgeKey::Rsa("k1");
  static inline const ForgeKey other_rsa_ = ForgeKey::Rsa("k1");
  static inline const ForgeKey ec_ = ForgeKey::Ec("e1");
  const Jwks keys_ = Jwks::Parse(fmt::format(R"({{"keys":[{},{}]}})", rsa_.PublicJwk(), ec_.PublicJwk())).value();
  IdentityClaims person_;
};

TEST_F(IdToken, AGoodOneNamesThePerson) {
  EXPECT_EQ(Check(rsa_.SignClaims(Claims({{"hd", R"("example.com")"}, {"name", R"("Ada Lovelace")"}}))), "ok");
  EXPECT_EQ(person_.issuer, "https://id.example.test");
  EXPECT_EQ(person_.subject, "subject-1");
  EXPECT_EQ(person_.email, "Ada@example.com");
  EXPECT_TRUE(person_.email_verified);
  EXPECT_EQ(person_.organisation, "example.com");
  EXPECT_EQ(person_.name, "Ada Lovelace");
}

TEST_F(IdToken, EachWayOfBeingWrongInFormHasItsOwnFault) {
  const std::string good = rsa_.SignClaims(Claims());
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  const std::string header = good.substr(0, first);
  const std::string payload = good.substr(first + 1, second - first - 1);
  const std::string signature = good.substr(second + 1);
  const auto with_header = [&](std::string_view text) { return rsa_.Sign(text, Claims()); };
  const std::pair<std::string, std::string> cases[] = {
      {"", "not_three_parts"},
      {"garbage", "not_three_parts"},
      {header + '.' + payload, "not_three_parts"},
      {good + ".more", "not_three_parts"},
      {"..", "bad_encoding"},
      {"\xff\xfe.\x01.\x02", "bad_encoding"},
      {header + "=." + payload + '.' + signature, "bad_encoding"},
      {header + '.' + payload + " ." + signature, "bad_encoding"},
      {header + '.' + payload + '.', "bad_encoding"},
      {std::string(40'000, 'A') + '.' + payload + '.' + signature, "too_large"},
      {Base64UrlEncode("[]") + '.' + payload + '.' + signature, "header_not_object"},
      {Base64UrlEncode("{") + '.' + payload + '.' + signature, "header_not_object"},
      {with_header(R"({"alg":"RS256","alg":"RS256","kid":"k1"})"), "duplicate_member"},
      {with_header(R"({"kid":"k1"})"), "algorithm_missing"},
      {with_header(R"({"alg":256,"kid":"k1"})"), "algorithm_missing"},
      {Base64UrlEncode(R"({"alg":"none","kid":"k1"})") + '.' + payload + '.', "algorithm_not_allowed"},
      {with_header(R"({"alg":"None","kid":"k1"})"), "algorithm_not_allowed"},
      {with_header(R"({"alg":"RS512","kid":"k1"})"), "algorithm_not_allowed"},
      {with_header(R"({"alg":"PS256","kid":"k1"})"), "algorithm_not_allowed"},
      {testing::SignHs256(R"({"alg":"HS256","kid":"k1"})", Claims(), rsa_.PublicPem()), "algorithm_not_allowed"},
      {testing::SignHs256(kHeader, Claims(), rsa_.PublicPem()), "bad_signature"},
      {ec_.SignClaims(Claims()), "algorithm_not_allowed"},
      {ec_.Sign(kHeader, Claims()), "bad_signature"},
      {rsa_.Sign(R"({"alg":"RS256","kid":"e1"})", Claims()), "key_algorithm_mismatch"},
      {with_header(R"({"alg":"RS256","kid":"k1","crit":["exp"]})"), "critical_header"},
      {with_header(R"({"alg":"RS256","kid":"k1","crit":[]})"), "critical_header"},
      {with_header(R"({"alg":"RS256","kid":"k1","typ":"at+jwt"})"), "wrong_type"},
      {with_header(R"({"alg":"RS256","kid":"k1","typ":7})"), "wrong_type"},
      {with_header(R"({"alg":"RS256","kid":""})"), "bad_key_id"},
      {with_header(R"({"alg":"RS256","kid":7})"), "bad_key_id"},
      {with_header(R"({"alg":"RS256","kid":")" + std::string(300, 'k') + "\"}"), "bad_key_id"},
      {with_header(R"({"alg":"RS256","kid":"unknown"})"), "unknown_key"},
      {with_header(R"({"alg":"RS256"})"), "unknown_key"},
      {other_rsa_.SignClaims(Claims()), "bad_signature"},
      {header + '.' + Base64UrlEncode(Claims({{"sub", R"("somebody else")"}})) + '.' + signature, "bad_signature"},
      {header + '.' + payload + '.' + Base64UrlEncode("short"), "bad_signature"},
      {rsa_.Sign(kHeader, "[]"), "payload_not_object"},
      {rsa_.Sign(kHeader, "not json"), "payload_not_object"},
      {rsa_.Sign(kHeader, R"({"sub":"a","sub":"b"})"), "duplicate_member"},
      {rsa_.Sign(kHeader, R"({"sub":"a","\u0073ub":"b"})"), "duplicate_member"},
  };
  for (const auto& [token, fault] : cases) EXPECT_EQ(Check(token), fault) << token.substr(0, 120);
}

TEST_F(IdToken, KeysAndAddressesInTheHeaderAreIgnored) {
  const std::string header = R"({"alg":"RS256","kid":"k1","jwk":)" + other_rsa_.PublicJwk() +
                             R"(,"jku":"https://evil.example/keys","x5u":"https://evil.example/c"})";
  EXPECT_EQ(Check(rsa_.Sign(header, Claims())), "ok");
  EXPECT_EQ(Check(other_rsa_.Sign(header, Claims())), "bad_signature");
}

TEST_F(IdToken, EachWrongClaimHasItsOwnFault) {
  const std::string hash = Base64UrlEncode(crypto::Sha256(access_token_.Reveal()).substr(0, 16));
  const struct {
    std::string name, text, fault;
  } cases[] = {
      {"iss", "", "claim_missing"},
      {"iss", "7", "claim_type"},
      {"iss", R"("https://evil.example.test")", "wrong_issuer"},
      {"iss", R"("https://id.example.test/")", "wrong_issuer"},
      {"iss", R"("HTTPS://id.example.test")", "wrong_issuer"},
      {"iss", R"("id.example.test")", "ok"},
      {"aud", "", "claim_missing"},
      {"aud", "7", "claim_type"},
      {"aud", R"([7])", "claim_type"},
      {"aud", R"([])", "wrong_audience"},
      {"aud", R"("client-2")", "wrong_audience"},
      {"aud", R"("client-1 ")", "wrong_audience"},
      {"aud", R"(["client-1"])", "ok"},
      {"aud", R"(["client-1","client-2"])", "untrusted_audience"},
      {"azp", R"("client-1")", "ok"},
      {"azp", R"("client-2")", "wrong_authorized_party"},
      {"azp", R"(["client-1"])", "claim_type"},
      {"exp", "", "claim_missing"},
      {"exp", R"("soon")", "claim_type"},
      {"exp", "-5", "claim_type"},
      {"exp", "1e300", "claim_type"},
      {"exp", Seconds(-59), "ok"},
      {"exp", Seconds(-60), "expired"},
      {"iat", "", "claim_missing"},
      {"iat", Seconds(60), "ok"},
      {"iat", Seconds(61), "issued_in_future"},
      {"iat", Seconds(-25 * 3600), "issued_too_long_ago"},
      {"nbf", Seconds(60), "ok"},
      {"nbf", Seconds(61), "not_yet_valid"},
      {"nbf", "true", "claim_type"},
      {"nonce", "", "claim_missing"},
      {"nonce", R"("another")", "wrong_nonce"},
      {"nonce", "null", "claim_type"},
      {"at_hash", '"' + hash + '"', "ok"},
      {"at_hash", R"("AAAAAAAAAAAAAAAAAAAAAA")", "wrong_access_token_hash"},
      {"at_hash", "7", "claim_type"},
      {"sub", "", "claim_missing"},
      {"sub", "7", "claim_type"},
      {"sub", R"("")", "bad_subject"},
      {"sub", R"("a b")", "bad_subject"},
      {"sub", R"("a\u0000b")", "bad_subject"},
      {"sub", '"' + std::string(256, 's') + '"', "bad_subject"},
      {"sub", '"' + std::string(255, 's') + '"', "ok"},
  };
  for (const auto& [name, text, fault] : cases) {
    EXPECT_EQ(Check(rsa_.SignClaims(Claims({{name, text}}))), fault) << name << ": " << text;
  }
}

TEST_F(IdToken, AddressesThatAreNoneAreLeftOutAndNotTrusted) {
  EXPECT_EQ(Check(rsa_.SignClaims(Claims({{"email", R"("a@b@example.com")"}}))), "ok");
  EXPECT_TRUE(person_.email.empty());
  EXPECT_FALSE(person_.email_verified);
  EXPECT_EQ(Check(rsa_.SignClaims(Claims({{"email_verified", R"("true")"}}))), "ok");
  EXPECT_TRUE(person_.email_verified);
  EXPECT_EQ(Check(rsa_.SignClaims(Claims({{"email_verified", "1"}}))), "ok");
  EXPECT_FALSE(person_.email_verified);
}

TEST_F(IdToken, EcKeysWorkWhereTheyAreAllowed) {
  IdTokenRules rules = rules_;
  rules.algorithms = {JwsAlgorithm::kEs256};
  EXPECT_EQ(Check(ec_.SignClaims(Claims()), rules), "ok");
  std::string broken = ec_.SignClaims(Claims());
  broken[broken.size() - 10] = broken[broken.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Check(broken, rules), "bad_signature");
  EXPECT_EQ(Check(rsa_.SignClaims(Claims()), rules), "algorithm_not_allowed");
}

TEST(KeySet, LeavesOutKeysThatMustNotVerify) {
  const ForgeKey good = ForgeKey::Rsa("good");
  const auto usable = [](const std::string& jwk) { return Jwks::Parse("{\"keys\":[" + jwk + "]}").value().size(); };
  EXPECT_EQ(usable(good.PublicJwk()), 1U);
  EXPECT_EQ(usable(good.PublicJwk("")), 1U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"alg":"RS256")")), 1U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"key_ops":["verify"])")), 1U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"use":"enc")")), 0U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"use":7)")), 0U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"key_ops":["encrypt"])")), 0U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"alg":"RS512")")), 0U);
  EXPECT_EQ(usable(good.PublicJwk(R"(,"alg":"HS256")")), 0U);
  EXPECT_EQ(usable(ForgeKey::Rsa("weak", 1024).PublicJwk()), 0U);
  EXPECT_EQ(usable(R"({"kty":"oct","k":"AAAA","kid":"x"})"), 0U);
  EXPECT_EQ(usable(R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})"), 0U);
  // A point that is not on the curve.
  const std::string zeros = Base64UrlEncode(std::string(31, '\0') + '\x01');
  EXPECT_EQ(usable(R"({"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros + "\"}"), 0U);
  EXPECT_EQ(usable(R"({"kty":"RSA","n":"AAAA","e":"AQAB"})"), 0U);
  EXPECT_EQ(usable(R"(7,"x",null)"), 0U);
}

TEST(KeySet, RefusesWhatIsNoKeySet) {
  for (const char* text : {"", "[]", "{}", R"({"keys":7})", R"({"keys":[],"keys":[]})", R"({"keys":[)"}) {
    EXPECT_EQ(Jwks::Parse(text).error().code, ErrorCode::kMalformedReply) << text;
  }
  EXPECT_FALSE(Jwks::Parse("{\"keys\":[" + std::string(300'000, ' ') + "]}"));
  std::string many = "{\"keys\":[1";
  for (int i = 0; i < 100; ++i) many += ",1";
  EXPECT_FALSE(Jwks::Parse(many + "]}"));
}

TEST(KeySet, ATokenWithoutKeyIdIsForTheOnlyKey) {
  const ForgeKey a = ForgeKey::Ec("a");
  const ForgeKey b = ForgeKey::Ec("b");
  EXPECT_NE(Jwks::Parse("{\"keys\":[" + a.PublicJwk() + "]}").value().Find(""), nullptr);
  const auto two = Jwks::Parse("{\"keys\":[" + a.PublicJwk() + "," + b.PublicJwk() + "]}").value();
  EXPECT_EQ(two.Find(""), nullptr);
  EXPECT_EQ(two.Find("b")->kid(), "b");
}

}  // namespace
}  // namespace latchkey::oauth
