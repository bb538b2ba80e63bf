/// The bytes of a plan: a line of what it was built with, the profiles, the model.
#pragma once

#include <array>

#include "model.h"

namespace fake {

/// Of each input: smallest, likeliest, largest shape.
using Profile = std::map<std::string, std::array<Shape, 3>>;

struct Plan {
  std::string version;
  int sm = 0;
  std::vector<Profile> profiles;
  std::string model;
};

std::string writePlan(Plan const& plan);
/// False if the bytes are no plan.
bool readPlan(std::string const& bytes, Plan& plan);

}  // namespace fake
