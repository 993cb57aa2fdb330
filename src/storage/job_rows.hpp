#pragma once

#include <string>

#include "jobs/job.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// The columns of a job that ReadJob reads, followed by the row's number (16) and whether it was asked for again while
/// it ran (17).
const std::string& JobColumns();
jobs::Job ReadJob(const Rows& rows);

}  // namespace latchkey::storage
