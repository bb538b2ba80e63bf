/// The bytes of a plan: a line of what it was built with, the profiles, and behind them the model, which may be large
/// and is not copied.
#pragma once

#include <array>
#include <string_view>

#include "model.h"

namespace fake {

/// Of each input: smallest, likeliest, largest shape.
using Profile = std::map<std::string, std::array<Shape, 3>>;

struct Plan {
  std::string version;
  int sm = 0;
  std::vector<Profile> profiles;
};

/// What stands before the model.
std::string writePlan(Plan const& plan, std::string const& model);
/// False if the bytes are no plan. `model` is the part of them that is the model.
bool readPlan(std::string_view bytes, Plan& plan, std::string_view& model);

}  // namespace fake
