#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "mail/message.hpp"

namespace latchkey::storage {

/// The parts of a message that lists do not show, as one compressed value: text, HTML, address lists with names,
/// In-Reply-To and References. The form: one zstd frame of a format byte and length-prefixed fields. The same message
/// gives the same bytes, so that a write can see that nothing changed. Any thread; each thread keeps its own zstd
/// context.
std::string EncodeContent(const mail::Message& message);

/// Fills those parts of `message`. kInternal for bytes that EncodeContent did not make.
Result<void> DecodeContent(std::string_view bytes, mail::Message& message);

}  // namespace latchkey::storage
