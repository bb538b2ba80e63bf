#include "arguments.h"

#include <cmath>

#include "failure.h"

int64_t count(const Napi::Value& value, const char* name, int64_t most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= static_cast<double>(most)) || std::floor(number) != number) {
    const std::string got = value.IsNumber() ? ", not " + value.ToString().Utf8Value() : "";
    throw misuse(std::string(name) + " must be an integer from 0 to " + std::to_string(most) + got);
  }
  return static_cast<int64_t>(number);
}

std::string text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw misuse(std::string(name) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}
