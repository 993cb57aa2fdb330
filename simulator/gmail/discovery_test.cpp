// Holds every answer of a tour through the API against Google's discovery document: no unknown members, right types.
// The document is not part of the project: LATCHKEY_PROVIDERS or ../shared/providers names its folder.
#include <algorithm>
#include <set>

#include "base/encoding.hpp"
#include "simulator/gmail/testing.hpp"
#include "simulator/testing/discovery_schemas.hpp"

namespace latchkey::simulator {
namespace {

namespace json = boost::json;
using testing_documents::DiscoverySchemas;
using testing_documents::ProvidersFolder;
using testing_documents::ReadJson;

class DiscoveryTest : public GmailFixture {
 protected:
  void SetUp() override {
    document_ = ReadJson(ProvidersFolder() / "google" / "gmail.v1.discovery.json");
    if (!document_) GTEST_SKIP() << "no " << ProvidersFolder() << ": set LATCHKEY_PROVIDERS to run this test";
    CollectMethods(document_->at("resources").at("users").as_object(), "");
    service_.EnforceQuota(false);
  }

  /// "messages.get" to the method's description; of the settings only the list of addresses to send from.
  void CollectMethods(const json::object& resource, const std::string& prefix) {
    if (const json::value* methods = resource.if_contains("methods")) {
      for (const auto& [name, method] : methods->as_object()) {
        methods_[prefix + std::string(name)] = &method.as_object();
      }
    }
    if (const json::value* resources = resource.if_contains("resources")) {
      for (const auto& [name, child] : resources->as_object()) {
        if (name == "settings") {
          methods_["settings.sendAs.list"] = &child.at("resources").at("sendAs").at("methods").at("list").as_object();
        } else {
          CollectMethods(child.as_object(), prefix + std::string(name) + ".");
        }
      }
    }
  }

  /// Calls `name` and holds the answer against the response schema of that method.
  json::value Call(const std::string& name, const std::string& target, std::string body = {},
                   std::string base = "/gmail/v1/users/me/") {
    called_.insert(name);
    const json::object& method = *methods_.at(name);
    const Response response = AskRaw(std::string(method.at("httpMethod").as_string()), base + target, std::move(body));
    const json::value* schema = method.if_contains("response");
    if (schema == nullptr) {
      EXPECT_EQ(response.status, 204) << name << " " << response.body;
      EXPECT_TRUE(response.body.empty());
      return {};
    }
    EXPECT_EQ(response.status, 200) << name << " " << response.body;
    json::value value = json::parse(response.body);
    for (const std::string& problem : DiscoverySchemas(*document_).Check(value, schema->at("$ref").as_string())) {
      ADD_FAILURE() << name << " " << problem;
    }
    return value;
  }

  static std::string Text(const json::value& value) { return std::string(value.as_string()); }

  std::optional<json::value> document_;
  std::map<std::string, const json::object*> methods_;
  std::set<std::string> called_;
};

TEST_F(DiscoveryTest, EveryMethodAnswersWithItsSchema) {
  ASSERT_TRUE(service_.ImportSample(ada_, clock_.Now()));
  const std::string start = Text(Call("getProfile", "profile").at("historyId"));
  const std::string label = Text(
      Call("labels.create", "labels", R"({"name":"Tour","color":{"textColor":"#000000","backgroundColor":"#ffffff"}})")
          .at("id"));
  Call("labels.list", "labels");
  Call("settings.sendAs.list", "settings/sendAs");
  Call("labels.get", "labels/" + label);
  Call("labels.update", "labels/" + label, R"({"name":"Tour 2","labelListVisibility":"labelHide"})");
  Call("labels.patch", "labels/" + label, R"({"messageListVisibility":"hide"})");
  Call("watch", "watch", R"({"topicName":"projects/p/topics/t"})");
  Call("stop", "stop");

  const std::string raw =
      R"({"raw":")" + Base64UrlEncode("To: ben@example.org\r\nSubject: Tour\r\n\r\nText\r\n") + R"("})";
  const std::string sent = Text(Call("messages.send", "messages/send", raw).at("id"));
  const std::string inserted = Text(Call("messages.insert", "messages", raw).at("id"));
  Call("messages.import", "messages/import", raw);
  std::string page;
  std::size_t seen = 0;
  do {
    const json::value list = Call("messages.list", "messages?maxResults=60&includeSpamTrash=true" + page);
    for (const json::value& entry : list.at("messages").as_array()) {
      const std::string id = Text(entry.at("id"));
      for (const char* format : {"full", "metadata", "minimal", "raw"}) {
        Call("messages.get", "messages/" + id + "?format=" + format);
      }
      ++seen;
    }
    page = list.as_object().contains("nextPageToken") ? "&pageToken=" + Text(list.at("nextPageToken")) : "";
  } while (!page.empty());
  EXPECT_GT(seen, 140U);
  const json::value with_file = Call("messages.list", "messages?q=filename:quarter.csv");
  const std::string file_id = Text(with_file.at("messages").at(0).at("id"));
  const json::value full = Call("messages.get", "messages/" + file_id);
  for (const json::value& part : full.at("payload").at("parts").as_array()) {
    if (part.at("filename").as_string().empty()) continue;
    const json::value data = Call("messages.attachments.get",
                                  "messages/" + file_id + "/attachments/" + Text(part.at("body").at("attachmentId")));
    EXPECT_EQ(data.at("size"), part.at("body").at("size"));
  }
  Call("messages.modify", "messages/" + file_id + "/modify",
       R"({"addLabelIds":[")" + label + R"("],"removeLabelIds":["STARRED"]})");
  Call("messages.trash", "messages/" + file_id + "/trash");
  Call("messages.untrash", "messages/" + file_id + "/untrash");
  Call("messages.batchModify", "messages/batchModify", R"({"ids":[")" + file_id + R"("],"addLabelIds":["UNREAD"]})");
  Call("messages.delete", "messages/" + sent);
  Call("messages.batchDelete", "messages/batchDelete", R"({"ids":[")" + inserted + R"("]})");
  Call("history.list", "history?startHistoryId=" + start);
  Call("history.list", "history?startHistoryId=" + start + "&maxResults=1");

  const json::value threads = Call("threads.list", "threads?maxResults=5");
  const std::string thread = Text(threads.at("threads").at(0).at("id"));
  Call("threads.get", "threads/" + thread);
  Call("threads.get", "threads/" + thread + "?format=metadata");
  Call("threads.modify", "threads/" + thread + "/modify", R"({"addLabelIds":["STARRED"]})");
  Call("threads.trash", "threads/" + thread + "/trash");
  Call("threads.untrash", "threads/" + thread + "/untrash");
  Call("threads.delete", "threads/" + thread);

  const std::string message = R"({"message":)" + raw + "}";
  const std::string draft = Text(Call("drafts.create", "drafts", message).at("id"));
  Call("drafts.list", "drafts");
  Call("drafts.get", "drafts/" + draft);
  Call("drafts.update", "drafts/" + draft, message);
  Call("drafts.send", "drafts/send", R"({"id":")" + draft + R"("})");
  Call("drafts.delete", "drafts/" + Text(Call("drafts.create", "drafts", message).at("id")));
  Call("labels.delete", "labels/" + label);

  for (const auto& [name, method] : methods_) {
    EXPECT_TRUE(called_.contains(name)) << name << " is in the document and not on the tour";
  }
}

TEST_F(DiscoveryTest, ScopesAreThoseOfTheDocument) {
  constexpr std::string_view kPrefix = "https://www.googleapis.com/auth/";
  for (const Method& method : AllMethods()) {
    std::set<std::string> expected;
    for (const json::value& scope : methods_.at(std::string(method.name))->at("scopes").as_array()) {
      const std::string text = Text(scope);
      if (text.find("addons") == std::string::npos) expected.insert(text);  // Scopes of add-ons inside Gmail.
    }
    std::set<std::string> ours;
    for (std::string_view rest = method.scopes; !rest.empty();) {
      const std::size_t blank = rest.find(' ');
      const std::string_view name = rest.substr(0, blank);
      ours.insert(name == "mail" ? "https://mail.google.com/" : std::string(kPrefix) + std::string(name));
      rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
    }
    EXPECT_EQ(ours, expected) << method.name;
  }
}

/// The members of a value, as paths; arrays count as their items.
void CollectPaths(const json::value& value, const std::string& path, std::set<std::string>& out) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      out.insert(path + "." + std::string(key));
      CollectPaths(member, path + "." + std::string(key), out);
    }
  } else if (value.is_array()) {
    for (const json::value& item : value.as_array()) CollectPaths(item, path + "[]", out);
  }
}

TEST_F(DiscoveryTest, AnswersHaveTheMembersOfRecordedOnes) {
  service_.ImportSample(ada_, clock_.Now());
  const std::string id = Deliver(
      "From: c@example.net\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
      "multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: "
      "text/plain\r\n\r\nHi\r\n--c--\r\n--b\r\nContent-Type: text/plain; "
      "name=\"test.txt\"\r\n\r\nx\r\n--b--\r\n");
  const std::pair<const char*, std::string> kSamples[] = {
      {"gmail.profile.200.json", Users("profile")},
      {"gmail.labels.list.200.json", Users("labels")},
      {"gmail.labels.get.200.json", Users("labels/INBOX")},
      {"gmail.messages.list.200.json", Users("messages?maxResults=5")},
      {"gmail.messages.get.full.multipart.200.json", Users("messages/" + id)},
      {"gmail.messages.get.metadata.incoming.200.json", Users("messages/" + id + "?format=metadata")},
      {"gmail.messages.get.minimal.200.json", Users("messages/" + id + "?format=minimal")},
      {"gmail.messages.get.raw.200.json", Users("messages/" + id + "?format=raw")},
      {"gmail.threads.list.200.json", Users("threads?maxResults=5")},
  };
  for (const auto& [name, target] : kSamples) {
    const std::optional<json::value> sample = ReadJson(ProvidersFolder() / "examples" / name);
    ASSERT_TRUE(sample) << name;
    std::set<std::string> recorded;
    CollectPaths(sample->at("response").at("body"), "", recorded);
    std::set<std::string> ours;
    CollectPaths(Ask(200, "GET", target), "", ours);
    for (const std::string& path : recorded) EXPECT_TRUE(ours.contains(path)) << name << " has " << path;
  }
}

TEST_F(DiscoveryTest, ErrorsHaveTheRecordedBodies) {
  const auto expect = [&](const char* name, const json::value& ours) {
    const std::optional<json::value> sample = ReadJson(ProvidersFolder() / "examples" / name);
    ASSERT_TRUE(sample) << name;
    EXPECT_EQ(ours, sample->at("response").at("body")) << name;
  };
  expect("gmail.error.notFound.404.json", Ask(404, "GET", Users("messages/1111111111111111")));
  expect("gmail.error.history-expired.404.json", Ask(404, "GET", Users("history?startHistoryId=1")));
  expect("gmail.error.invalid-to-header.400.json",
         Ask(400, "POST", Users("messages/send"), R"({"raw":")" + Base64UrlEncode("To: x\r\n\r\n") + R"("})"));
  scopes_ = {"https://www.googleapis.com/auth/gmail.readonly"};
  expect("gmail.error.insufficientPermissions.403.json", Ask(403, "POST", Users("drafts"), "{}"));
  service_.EnforceQuota(true);
  clock_.Advance(std::chrono::seconds(61));
  const std::string id = Deliver(Mail("a"));
  for (int i = 0; i < 300; ++i) Get("messages/" + id + "?format=minimal");
  Ask(403, "GET", Users("messages/" + id));
  expect("gmail.error.quota-metric.429.json", Ask(429, "GET", Users("messages/" + id)));
  accounts_.FindByEmail("ada@example.com")->has_mailbox = false;
  expect("gmail.error.mail-service-not-enabled.400.json", Ask(400, "GET", Users("profile")));
}

}  // namespace
}  // namespace latchkey::simulator
