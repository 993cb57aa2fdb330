#include "simulator/http/tls_identity.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace latchkey::simulator {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using FilePtr = std::unique_ptr<std::FILE, Deleter<std::fclose>>;

constexpr long kDay = 24 * 60 * 60;

void AddExtension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  if (extension) X509_add_ext(certificate, extension.get(), -1);
}

CertificatePtr NewCertificate(EVP_PKEY* key, const char* common_name, long days) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  std::array<unsigned char, 8> serial{};
  RAND_bytes(serial.data(), serial.size());
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const auto add = [name](const char* field, const char* text) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  };
  add("O", "Latchkey simulator");
  add("CN", common_name);
  return certificate;
}

FilePtr Open(const std::filesystem::path& path, const char* mode) { return FilePtr(std::fopen(path.c_str(), mode)); }

}  // namespace

std::expected<TlsIdentity, std::string> MakeTlsIdentity(const std::filesystem::path& directory) {
  const std::filesystem::path ca_file = directory / "ca.pem";
  const std::filesystem::path ca_key_file = directory / "ca-key.pem";
  std::error_code error;
  std::filesystem::create_directories(directory, error);

  KeyPtr ca_key;
  CertificatePtr ca;
  if (const FilePtr key = Open(ca_key_file, "r"), certificate = Open(ca_file, "r"); key && certificate) {
    ca_key.reset(PEM_read_PrivateKey(key.get(), nullptr, nullptr, nullptr));
    ca.reset(PEM_read_X509(certificate.get(), nullptr, nullptr, nullptr));
    if (!ca_key || !ca || X509_check_private_key(ca.get(), ca_key.get()) != 1) {
      return std::unexpected(fmt::format("{} and {} do not belong together. Delete both, they are made anew.",
                                         ca_file.string(), ca_key_file.string()));
    }
  } else {
    ca_key.reset(EVP_EC_gen("P-256"));
    ca = NewCertificate(ca_key.get(), "Latchkey simulator authority", 3650);
    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
    AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    AddExtension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    X509_sign(ca.get(), ca_key.get(), EVP_sha256());
    const mode_t previous = umask(0077);
    const FilePtr key_out = Open(ca_key_file, "w");
    umask(previous);
    const FilePtr ca_out = Open(ca_file, "w");
    if (!key_out || !ca_out ||
        PEM_write_PrivateKey(key_out.get(), ca_key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_X509(ca_out.get(), ca.get()) != 1 || std::fflush(key_out.get()) != 0 ||
        std::fflush(ca_out.get()) != 0) {
      return std::unexpected(fmt::format("cannot write {} ({}). Choose a writable folder with --tls-dir.",
                                         ca_file.string(), std::strerror(errno)));
    }
  }

  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate = NewCertificate(key.get(), "localhost", 397);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca.get()));
  AddExtension(certificate.get(), ca.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  AddExtension(certificate.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(certificate.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(certificate.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  AddExtension(certificate.get(), ca.get(), NID_authority_key_identifier, "keyid");
  X509_sign(certificate.get(), ca_key.get(), EVP_sha256());

  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  if (SSL_CTX_use_certificate(native, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(native, key.get()) != 1) {
    return std::unexpected(std::string("cannot prepare the TLS certificate; start without --tls-listen."));
  }
  SSL_CTX_set_alpn_select_cb(
      native,
      [](SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered, unsigned offered_size,
         void*) {
        static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
        return SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, kOurs, sizeof(kOurs) - 1, offered,
                                     offered_size) == OPENSSL_NPN_NEGOTIATED
                   ? SSL_TLSEXT_ERR_OK
                   : SSL_TLSEXT_ERR_NOACK;
      },
      nullptr);
  return TlsIdentity{std::move(context), std::filesystem::absolute(ca_file)};
}

}  // namespace latchkey::simulator
