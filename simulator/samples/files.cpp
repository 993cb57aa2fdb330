#include "simulator/samples/files.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <zlib.h>

namespace latchkey::simulator::samples {
namespace {

void AppendBigEndian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

/// PNG (RFC 2083 section 3.2): length, type, data, checksum.
void AppendChunk(std::string& out, std::string_view type, std::string_view data) {
  AppendBigEndian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.append(type).append(data);
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + start);
  AppendBigEndian(out, static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(out.size() - start))));
}

unsigned Blend(unsigned from, unsigned to, double part) {
  return static_cast<unsigned>(std::lround(from + (static_cast<double>(to) - from) * part));
}

/// "20261120T123105Z"
std::string CalendarTime(Instant instant) {
  std::string text = FormatInstant(instant).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

}  // namespace

std::string MakePdf(const std::vector<std::string>& lines) {
  std::string content = "BT /F1 18 Tf 60 780 Td 24 TL\n";
  bool first = true;
  for (const std::string& line : lines) {
    std::string escaped;
    for (char c : line) {
      if (c == '(' || c == ')' || c == '\\') escaped.push_back('\\');
      escaped.push_back(c);
    }
    content += fmt::format("({}) Tj T*\n", escaped);
    if (first) content += "/F1 11 Tf 16 TL\n";
    first = false;
  }
  content += "ET\n";
  const std::vector<std::string> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
      "/Resources << /Font << /F1 5 0 R >> >> >>",
      fmt::format("<< /Length {} >>\nstream\n{}endstream", content.size(), content),
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  };
  std::string out = "%PDF-1.4\n";
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    offsets.push_back(out.size());
    out += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  const std::size_t xref = out.size();
  out += fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects.size() + 1);
  for (const std::size_t offset : offsets) out += fmt::format("{:010} 00000 n \n", offset);
  out += fmt::format("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n", objects.size() + 1, xref);
  return out;
}

std::string MakePng(unsigned width, unsigned height, std::uint32_t top, std::uint32_t bottom) {
  std::string pixels;
  pixels.reserve((width * 3 + 1) * height);
  const double sun_x = width * 0.75, sun_y = height * 0.3, radius = height * 0.16;
  for (unsigned y = 0; y < height; ++y) {
    pixels.push_back(0);  // No filter.
    const double part = static_cast<double>(y) / std::max(1U, height - 1);
    for (unsigned x = 0; x < width; ++x) {
      const bool sun = std::hypot(x - sun_x, y - sun_y) < radius;
      for (int shift = 16; shift >= 0; shift -= 8) {
        const unsigned value = Blend(top >> shift & 0xFF, bottom >> shift & 0xFF, part);
        pixels.push_back(static_cast<char>(sun ? Blend(value, 255, 0.75) : value));
      }
    }
  }
  uLongf size = compressBound(pixels.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(pixels.data()),
            pixels.size(), 9);
  packed.resize(size);
  std::string header;
  AppendBigEndian(header, width);
  AppendBigEndian(header, height);
  header += std::string("\x08\x02\x00\x00\x00", 5);  // Eight bits, RGB.
  std::string out = "\x89PNG\r\n\x1A\n";
  AppendChunk(out, "IHDR", header);
  AppendChunk(out, "IDAT", packed);
  AppendChunk(out, "IEND", {});
  return out;
}

std::string MakeIcs(std::string_view uid, std::string_view summary, std::string_view location,
                    std::string_view organizer, std::string_view attendee, Instant start, Instant end) {
  return fmt::format(
      "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
      "UID:{}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:{}\r\nLOCATION:{}\r\nORGANIZER:mailto:{}\r\n"
      "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
      uid, CalendarTime(start), CalendarTime(start), CalendarTime(end), summary, location, organizer, attendee);
}

}  // namespace latchkey::simulator::samples
