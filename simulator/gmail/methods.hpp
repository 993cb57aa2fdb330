#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "simulator/grant.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator {

enum class MethodId : std::uint8_t {
  kGetProfile,
  kWatch,
  kStop,
  kLabelsList,
  kLabelsGet,
  kLabelsCreate,
  kLabelsUpdate,
  kLabelsPatch,
  kLabelsDelete,
  kMessagesList,
  kMessagesGet,
  kMessagesInsert,
  kMessagesImport,
  kMessagesSend,
  kMessagesModify,
  kMessagesTrash,
  kMessagesUntrash,
  kMessagesDelete,
  kMessagesBatchModify,
  kMessagesBatchDelete,
  kAttachmentsGet,
  kThreadsList,
  kThreadsGet,
  kThreadsModify,
  kThreadsTrash,
  kThreadsUntrash,
  kThreadsDelete,
  kDraftsList,
  kDraftsGet,
  kDraftsCreate,
  kDraftsUpdate,
  kDraftsDelete,
  kDraftsSend,
  kHistoryList,
  kSendAsList,
};

/// One row of the API: where it is, what it costs (README of the provider facts, table of 1 May 2026) and which scopes
/// open it (the discovery document's list, short names; "mail" is https://mail.google.com/).
struct Method {
  MethodId id;
  std::string_view name;  ///< "messages.get": the key of the counters.
  std::string_view http_method;
  std::string_view path;  ///< Segments behind users/{userId}; "{}" is a parameter.
  int units;
  std::string_view rpc;     ///< As Google names it in a scope error.
  std::string_view scopes;  ///< Separated by blanks, broadest first.
  bool upload = false;      ///< Also under /upload/ and /resumable/upload/.
};

std::span<const Method> AllMethods();

struct MatchedMethod {
  const Method* method = nullptr;
  std::string_view user;                     ///< "me" or an address.
  std::vector<std::string_view> parameters;  ///< Values of "{}".
  bool upload = false;
};

/// nullptr method: no such path. Views point into the request.
MatchedMethod MatchMethod(const Request& request);

/// Whether the grant opens the method.
bool Permits(const Method& method, const Grant& grant);
/// True when the only scope that opens reading is gmail.metadata: no bodies, no search.
bool MetadataOnly(const Grant& grant);

}  // namespace latchkey::simulator
