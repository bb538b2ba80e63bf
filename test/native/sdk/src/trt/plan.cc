#include "plan.h"

#include <istream>
#include <sstream>
#include <streambuf>

namespace fake {
namespace {

constexpr char kMagic[] = "stand-in-plan";

void writeShape(std::ostream& out, Shape const& shape) {
  out << ' ' << shape.size();
  for (int64_t const size : shape) out << ' ' << size;
}

Shape readShape(std::istream& in) {
  size_t rank = 0;
  in >> rank;
  Shape shape(rank < 9 ? rank : 0);
  for (int64_t& size : shape) in >> size;
  return shape;
}

/// Bytes to read where they are.
class Memory : public std::streambuf {
public:
  explicit Memory(std::string_view bytes) {
    char* const begin = const_cast<char*>(bytes.data());
    setg(begin, begin, begin + bytes.size());
  }
  size_t at() const { return static_cast<size_t>(gptr() - eback()); }
};

}  // namespace

std::string writePlan(Plan const& plan, std::string const& model) {
  std::ostringstream out;
  out << kMagic << ' ' << plan.version << ' ' << plan.sm << ' ' << plan.profiles.size() << '\n';
  for (Profile const& profile : plan.profiles) {
    out << profile.size() << '\n';
    for (auto const& [name, shapes] : profile) {
      out << name;
      for (Shape const& shape : shapes) writeShape(out, shape);
      out << '\n';
    }
  }
  out << model.size() << '\n';
  return out.str();
}

bool readPlan(std::string_view bytes, Plan& plan, std::string_view& model) {
  Memory memory(bytes);
  std::istream in(&memory);
  std::string magic;
  size_t profiles = 0;
  in >> magic >> plan.version >> plan.sm >> profiles;
  if (!in || magic != kMagic) return false;
  for (size_t i = 0; i < profiles && in; i++) {
    Profile profile;
    size_t inputs = 0;
    in >> inputs;
    for (size_t input = 0; input < inputs && in; input++) {
      std::string name;
      in >> name;
      for (Shape& shape : profile[name]) shape = readShape(in);
    }
    plan.profiles.push_back(profile);
  }
  size_t length = 0;
  in >> length;
  in.get();
  if (!in || memory.at() + length != bytes.size()) return false;
  model = bytes.substr(memory.at());
  return true;
}

}  // namespace fake
