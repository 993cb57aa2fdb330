#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "http/router.hpp"

namespace latchkey::api {

/// Every operation of openapi/latchkey.yaml, and the seeds' own names for some of them.
std::span<const Route> Routes();

/// The routes bound to `services`, which must outlive the router; with `worker_only` those of a process that only runs
/// jobs.
std::vector<http::Route> BindRoutes(const Services& services, bool worker_only);

/// Whether this path is answered however busy the server is.
bool IsEssential(std::string_view path);

}  // namespace latchkey::api
