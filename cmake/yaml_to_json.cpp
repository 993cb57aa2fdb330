// Converts the contract at build time: yaml_to_json IN.yaml OUT.json OUT.cpp. YAML's core schema as far as the contract
// uses it: quoted scalars are strings; plain ones are null, true, false, numbers, or strings.
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/json_writer.hpp"

namespace {

using latchkey::json::Writer;

void Convert(const YAML::Node& node, Writer& out) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      out.BeginObject();
      for (const auto& entry : node) {
        out.Key(entry.first.Scalar());
        Convert(entry.second, out);
      }
      out.EndObject();
      return;
    case YAML::NodeType::Sequence:
      out.BeginArray();
      for (const auto& item : node) Convert(item, out);
      out.EndArray();
      return;
    case YAML::NodeType::Scalar:
      break;
    default:
      out.Null();
      return;
  }
  const std::string& text = node.Scalar();
  const bool plain = node.Tag() == "?";
  if (plain && (text == "null" || text == "~")) {
    out.Null();
  } else if (plain && (text == "true" || text == "false")) {
    out.Value(text == "true");
  } else if (plain && !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos) {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    // 0.1.0 is a version and stays a string.
    if (*end != '\0') {
      out.Value(text);
    } else if (number == std::floor(number) && std::abs(number) < 1e15) {
      out.Value(static_cast<long long>(number));
    } else {
      out.Value(number);
    }
  } else {
    out.Value(text);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    Writer out(1 << 17);
    Convert(YAML::LoadFile(argv[1]), out);
    const std::string& json = out.text();
    std::ofstream(argv[2]) << json << "\n";
    std::ofstream source(argv[3]);
    source << "// Generated from openapi/latchkey.yaml.\n#include \"api/web_app.hpp\"\n\nnamespace latchkey::api {\n\n"
              "std::string_view EmbeddedOpenApi() {\n  static constexpr char kText[] = {";
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (i % 24 == 0) source << "\n      ";
      source << static_cast<int>(static_cast<signed char>(json[i])) << ",";
    }
    source << "};\n  return {kText, sizeof kText};\n}\n\n}  // namespace latchkey::api\n";
    return source.good() ? 0 : 1;
  } catch (const std::exception& failure) {
    std::cerr << argv[1] << ": " << failure.what() << "\n";
    return 1;
  }
}
