#pragma once

#include <span>
#include <vector>

#include "api/call.hpp"
#include "http/router.hpp"

namespace latchkey::api {

/// Every operation of openapi/latchkey.yaml, and the seeds' own names for some of them.
std::span<const Route> Routes();

/// The routes bound to `services`, which must outlive the router.
std::vector<http::Route> BindRoutes(const Services& services);

}  // namespace latchkey::api
