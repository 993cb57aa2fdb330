#pragma once

#include <vector>

#include "mail/folder_provider.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {

/// All folders of a mailbox with their roles: top level and nested, hidden ones too, saved searches not. Nested folders
/// are named with their parents ("Projects/Spring"). The inbox first, what was thrown away last. Any page that cannot
/// be read fails the whole: a folder that is missing here counts as gone.
Task<Result<std::vector<mail::Folder>>> ReadGraphFolders(GraphClient& client, mail::Lane lane);

/// The ids behind the well-known names.
Task<Result<std::vector<std::pair<std::string, mail::Label::Role>>>> ReadWellKnownFolders(GraphClient& client,
                                                                                          mail::Lane lane);

}  // namespace latchkey::microsoft
