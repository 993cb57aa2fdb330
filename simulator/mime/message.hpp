#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/mime/header.hpp"
#include "simulator/mime/transfer.hpp"

namespace latchkey::simulator::mime {

/// One node of the MIME tree. Views point into the bytes the Message was parsed from.
struct Part {
  HeaderBlock header;
  std::string type = "text/plain";  ///< Lower case "type/subtype"; the default of RFC 2045 section 5.2 when unreadable.
  std::string charset;              ///< As written, lower case; empty when absent.
  std::string filename;             ///< UTF-8; from Content-Disposition, else the name of Content-Type. May be empty.
  std::string disposition;          ///< "attachment", "inline" or whatever stands there, lower case.
  TransferEncoding encoding = TransferEncoding::kIdentity;
  std::string_view body;  ///< Still encoded. For a container its whole content.
  std::vector<Part> parts;

  bool IsMultipart() const { return type.starts_with("multipart/") && !parts.empty(); }
  /// The body without its transfer encoding, in its original charset.
  std::string Decoded() const { return DecodeTransfer(body, encoding); }
  /// Decoded() as UTF-8.
  std::string Text() const;
};

/// A parsed message (RFC 5322, RFC 2045 to 2047, RFC 2231). Parsing never fails and is linear: whatever the bytes are,
/// there is a header (maybe empty) and a root part. Depth and number of parts are bounded; what lies beyond stays text.
class Message {
 public:
  /// Deeper nesting is read as one opaque body: the deepest honest mail known has about ten levels.
  static constexpr int kMaxDepth = 120;
  static constexpr std::size_t kMaxParts = 5'000;

  /// `raw` must outlive the message.
  static Message Parse(std::string_view raw);

  const Part& root() const { return root_; }

  /// A header field of the message, decoded to UTF-8 text; "" when absent.
  std::string Header(std::string_view name) const;

 private:
  /// Mail with CR as its only line end is copied with LF instead; views point here then.
  std::unique_ptr<std::string> normalised_;
  Part root_;
};

}  // namespace latchkey::simulator::mime
