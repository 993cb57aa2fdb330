#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "mail/message.hpp"

namespace latchkey::agreement {

/// The corpus is not part of the project: LATCHKEY_CORPUS or ../shared/corpus.
std::filesystem::path CorpusFolder();

/// Blanks squeezed, U+00A0 among them, as the corpus has its subjects.
std::string Squeezed(std::string text);
bool IsBlank(const std::string& text);

/// The corpus's fields of a message as the client has it.
boost::json::object Observed(const mail::Message& message);

/// "file field" -> why the client reads something else there on purpose. A field that arrives although it is listed
/// fails the test.
using Exceptions = std::map<std::string, std::string>;
using Carried =
    std::function<std::optional<boost::json::value>(const std::string& field, const boost::json::object& expect)>;
/// Holds every file of the torture corpus against what three parsers agree on. `read` brings raw bytes through the
/// provider's shape into the client. `carried`: what the provider's shape can tell of the value that the corpus expects
/// for a field, nothing where it has no place for it. False: the corpus is absent.
bool HoldAgainstTorture(const std::function<mail::Message(std::string raw)>& read, const Exceptions& exceptions,
                        const Carried& carried);

/// What the oracle of the simulator and the client say of a message: addresses, subject, date, texts, named files.
/// `one_body`: the provider tells the richer of both bodies only.
void ExpectAgreement(const boost::json::object& oracle, const mail::Message& message, bool one_body);

}  // namespace latchkey::agreement
