#include "simulator/http/server.hpp"

#include <gtest/gtest.h>

namespace latchkey::simulator {}
