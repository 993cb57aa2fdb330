#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <filesystem>
#include <memory>

#include "async/testing.hpp"
#include "http_client/curl_http_client.hpp"
#include "http_client/scripted_server.hpp"

namespace latchkey::http_client {
namespace {

using ::latchkey::testing::RunTask;
using testing::ReadHead;
using testing::ScriptedServer;
using testing::tcp;
using testing::WriteAll;

template <class T, void (*kFree)(T*)>
struct Freer {
  void operator()(T* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;

struct Identity {
  Key key;
  Certificate certificate;
};

/// Who signs, for which name, and from when until when (seconds from now).
struct Wish {
  const Identity* issuer = nullptr;
  std::string subject = "server";
  std::string alternative_name = "IP:127.0.0.1";
  long from = -3600;
  long until = 3600;
  bool authority = false;
};

Identity Issue(const Wish& wish) {
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), wish.authority ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.until);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.subject.c_str()), -1, -1, 0);
  const Identity& signer = wish.issuer ? *wish.issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  const auto extend = [&](int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer.certificate.get(), certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.authority) extend(NID_subject_alt_name, wish.alternative_name);
  X509_sign(certificate, signer.key.get(), EVP_sha256());
  return made;
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() : authority_(Issue({.subject = "authority", .authority = true})) {
    ca_file_ = std::filesystem::temp_directory_path() / ("latchkey_tls_test_" + std::to_string(getpid()) + ".pem");
    std::FILE* const file = std::fopen(ca_file_.c_str(), "w");
    PEM_write_X509(file, authority_.certificate.get());
    std::fclose(file);
  }
  ~TlsTest() override { std::filesystem::remove(ca_file_); }

  /// What a request to a server with this identity ends in.
  Result<HttpResponse> Ask(const Identity& identity, bool trust_authority = true) {
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    SSL_CTX_use_certificate(context.native_handle(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context.native_handle(), identity.key.get());
    ScriptedServer server(loop_.get_executor(), [&](tcp::socket& socket) -> Task<void> {
      boost::asio::ssl::stream<tcp::socket&> stream(socket, context);
      co_await stream.async_handshake(boost::asio::ssl::stream_base::server, boost::asio::use_awaitable);
      std::string buffer;
      while (true) {
        co_await ReadHead(stream, buffer);
        ++requests_;
        co_await WriteAll(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    });
    const std::string origin = "https://127.0.0.1:" + std::to_string(server.port());
    ClientOptions options;
    options.allowed_origins = {origin};
    if (trust_authority) options.ca_file = ca_file_;
    CurlHttpClient client(loop_.get_executor(), options);
    HttpRequest request;
    request.url = origin + "/";
    request.headers = {{"Authorization", "Bearer token"}};
    Result<HttpResponse> result = Fail(ErrorCode::kInternal);
    auto test = [&]() -> Task<void> {
      result = co_await client.Send(request);
      co_await server.Stop();
    };
    RunTask(loop_, test());
    return result;
  }

  void ExpectRefused(const Identity& identity, bool trust_authority = true) {
    const auto result = Ask(identity, trust_authority);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kProviderUnavailable) << result.error().detail;
    EXPECT_EQ(requests_, 0) << "the token must not have been sent";
  }

  boost::asio::io_context loop_;
  Identity authority_;
  std::string ca_file_;
  int requests_ = 0;
};

TEST_F(TlsTest, AcceptsACertificateOfAnExtraAuthority) {
  const auto result = Ask(Issue({.issuer = &authority_}));
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->body, "ok");
}

TEST_F(TlsTest, RefusesThatCertificateWithoutTheAuthority) { ExpectRefused(Issue({.issuer = &authority_}), false); }

TEST_F(TlsTest, RefusesSelfSignedCertificates) { ExpectRefused(Issue({})); }

TEST_F(TlsTest, RefusesCertificatesOfAnotherName) {
  ExpectRefused(Issue({.issuer = &authority_, .alternative_name = "DNS:other.example,IP:127.0.0.2"}));
}

TEST_F(TlsTest, RefusesExpiredCertificates) {
  ExpectRefused(Issue({.issuer = &authority_, .from = -7200, .until = -60}));
}

TEST_F(TlsTest, RefusesCertificatesThatAreNotYetValid) {
  ExpectRefused(Issue({.issuer = &authority_, .from = 3600, .until = 7200}));
}

}  // namespace
}  // namespace latchkey::http_client
