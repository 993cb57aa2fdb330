#include "simulator/samples/samples.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "simulator/mime/charset.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/samples/files.hpp"

namespace latchkey::simulator {
namespace {

class SamplesTest : public testing::Test {
 protected:
  AccountRegistry accounts_;
  const Account& owner_ = accounts_.Add("ada@example.com", "Ada Lovelace");
  Instant now_{std::chrono::seconds(1'780'000'000)};
  std::vector<SampleMessage> messages_ = MakeSampleMailbox(owner_, now_);
};

TEST_F(SamplesTest, LooksAliveAndIsTheSameEachTime) {
  EXPECT_GE(messages_.size(), 145U);
  EXPECT_LE(messages_.size(), 170U);
  EXPECT_GT(messages_.back().date, now_ - std::chrono::minutes(10));
  EXPECT_LE(messages_.back().date, now_);
  const std::vector<SampleMessage> again = MakeSampleMailbox(owner_, now_);
  ASSERT_EQ(again.size(), messages_.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].raw, messages_[i].raw);
    if (i > 0) EXPECT_LE(messages_[i - 1].date, messages_[i].date);
  }
}

TEST_F(SamplesTest, EveryMessageReadsBackWithoutReplacementCharacters) {
  std::set<std::string> charsets;
  std::size_t attachments = 0;
  std::set<std::string> ids;
  for (const SampleMessage& sample : messages_) {
    const mime::Message parsed = mime::Message::Parse(sample.raw);
    const mime::Summary summary = mime::Summarise(parsed);
    for (const std::string* text : {&summary.subject, &summary.text, &summary.html}) {
      EXPECT_TRUE(mime::IsValidUtf8(*text));
      EXPECT_EQ(text->find("\uFFFD"), std::string::npos) << summary.subject;
      EXPECT_EQ(text->find("=?"), std::string::npos) << summary.subject;
      EXPECT_EQ(text->find("{me}"), std::string::npos) << summary.subject;
    }
    EXPECT_EQ(summary.from.size(), 1U);
    EXPECT_TRUE(ids.insert(summary.message_id).second) << summary.message_id;
    mime::VisitParts(parsed.root(), [&](const mime::Part& part) {
      if (!part.charset.empty()) charsets.insert(part.charset);
    });
    attachments += summary.attachments.size();
  }
  for (const char* charset : {"utf-8", "iso-2022-jp", "koi8-r", "windows-1252", "big5", "shift_jis", "iso-8859-8"}) {
    EXPECT_TRUE(charsets.contains(charset)) << charset;
  }
  EXPECT_GE(attachments, 14U);
}

TEST_F(SamplesTest, NamesNobodyOutsideTheReservedDomains) {
  // RFC 2606 and RFC 6761: example.com, .net, .org and everything under .example.
  for (const SampleMessage& sample : messages_) {
    const mime::Summary summary = mime::Summarise(mime::Message::Parse(sample.raw));
    for (const auto* list : {&summary.from, &summary.to, &summary.cc}) {
      for (const mime::Address& address : *list) {
        const std::string domain = address.email.substr(address.email.find('@') + 1);
        EXPECT_TRUE(domain == "example.com" || domain == "example.net" || domain == "example.org" ||
                    domain.ends_with(".example"))
            << address.email;
      }
    }
  }
}

TEST(SampleFiles, AreWhatTheirTypesSay) {
  const std::string pdf = samples::MakePdf({"Title (one)", "line"});
  EXPECT_TRUE(pdf.starts_with("%PDF-1.4\n"));
  const std::size_t xref = std::stoul(pdf.substr(pdf.find("startxref\n") + 10));
  EXPECT_EQ(pdf.substr(xref, 5), "xref\n");
  const std::string png = samples::MakePng(8, 8, 0xFF0000, 0x0000FF);
  EXPECT_TRUE(png.starts_with("\x89PNG\r\n"));
  EXPECT_NE(png.find("IEND"), std::string::npos);
}

}  // namespace
}  // namespace latchkey::simulator
