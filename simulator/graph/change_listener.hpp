#pragma once

#include <string>
#include <string_view>

#include "simulator/accounts.hpp"

namespace latchkey::simulator::graph {

/// Something changed that a subscription may be about.
struct ItemChange {
  std::string_view collection;  ///< "messages" or "events".
  std::string container;        ///< Id of the folder or calendar the item is (or was) in.
  std::string_view type;        ///< "created", "updated" or "deleted".
  std::string_view odata_type;  ///< "#Microsoft.Graph.Message".
  std::string id;               ///< For subscriptions made without ImmutableId.
  std::string immutable_id;
  std::string etag;
};

/// Hears of every change of mail and calendars; implemented by the subscriptions. Loop thread only. It may not change
/// what changed.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  virtual void Changed(const Account& account, const ItemChange& change) = 0;
};

}  // namespace latchkey::simulator::graph
