#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

namespace latchkey::simulator {

/// A TLS server identity for localhost, 127.0.0.1 and ::1.
struct TlsIdentity {
  std::shared_ptr<boost::asio::ssl::context> context;  ///< Offers h2 and http/1.1 by ALPN.
  std::filesystem::path ca_file;                       ///< What clients must trust.
};

/// Uses the certification authority in `directory` (ca.pem, ca-key.pem with mode 0600), making it first if it is not
/// there, so that clients may keep trusting it over restarts; the server certificate is new at each start. The error
/// says what to do.
std::expected<TlsIdentity, std::string> MakeTlsIdentity(const std::filesystem::path& directory);

}  // namespace latchkey::simulator
