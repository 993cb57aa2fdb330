#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>
#include <boost/json/object.hpp>

namespace latchkey::simulator {

/// The two RSA keys Google publishes at a time. The first one signs. Keys are made when first needed, since making one
/// takes a good part of a second. Loop thread only.
class SigningKeys {
 public:
  SigningKeys();
  ~SigningKeys();

  /// A compact JWS (RS256) over `claims`. `kid` overrides the header's key id, for tests of clients.
  std::string Sign(const boost::json::object& claims, std::string_view kid = {}) const;
  /// The JWK set of RFC 7517 with Google's members.
  std::string Jwks() const;
  /// A new key signs from now on; the one before it stays published, the oldest goes.
  void Rotate();
  std::vector<std::string> kids() const;

 private:
  struct Key;
  static std::unique_ptr<Key> NewKey();
  /// The first `count` keys.
  const std::vector<std::unique_ptr<Key>>& Have(std::size_t count) const;

  mutable std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace latchkey::simulator
