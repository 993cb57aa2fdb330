// Holds Graph's answers against a copy of the OpenAPI document: every path that answers stands in it, every member has
// its type. The document is not part of the project: LATCHKEY_PROVIDERS or ../shared/providers names its folder.
#include <cstdlib>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/graph/mail_area.hpp"
#include "simulator/graph/subscriptions.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;

/// What the live service sends though its metadata lack it.
const std::set<std::string, std::less<>> kExtra = {"sizeInBytes", "uniqueBody"};

class Document {
 public:
  explicit Document(json::value document) : document_(std::move(document)) {}

  /// The schema of an answer; nullptr when the document has no such path, method or status, or no content for it.
  const json::value* Answer(const std::string& method, const std::vector<std::string>& segments, int status,
                            bool& described) const {
    described = false;
    for (const auto& [path, operations] : document_.at("paths").as_object()) {
      if (!Fits(path, segments)) continue;
      std::string verb = method;
      for (char& c : verb) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const auto* operation = operations.as_object().if_contains(verb);
      if (!operation) continue;
      const auto& responses = operation->at("responses").as_object();
      const auto* response = responses.if_contains(std::to_string(status));
      if (!response && status >= 400) response = responses.if_contains(status < 500 ? "4XX" : "5XX");
      if (!response) continue;
      described = true;
      const json::value& resolved = Resolve(*response);
      const auto* content = resolved.as_object().if_contains("content");
      if (!content) return nullptr;
      const auto* kind = content->as_object().if_contains("application/json");
      return kind ? &kind->at("schema") : nullptr;
    }
    return nullptr;
  }

  void Check(const json::value& value, const json::value& given, const std::string& where) const {
    const json::value& schema = Resolve(given);
    const auto& object = schema.as_object();
    if (value.is_null()) {
      const bool nullable = object.contains("nullable") && object.at("nullable").as_bool();
      EXPECT_TRUE(nullable || Nullable(given)) << where << " is null";
      return;
    }
    if (const auto* any = object.if_contains("anyOf")) {
      if (!any->as_array().empty()) return Check(value, any->as_array().front(), where);
    }
    if (const auto* words = object.if_contains("enum")) {
      EXPECT_NE(std::ranges::find(words->as_array(), value), words->as_array().end()) << where << " " << value;
      return;
    }
    if (value.is_object()) return CheckMembers(value.as_object(), schema, where);
    const auto* type = object.if_contains("type");
    if (!type || !type->is_string()) return;
    const std::string_view name = type->as_string();
    if (name == "array") {
      ASSERT_TRUE(value.is_array()) << where;
      for (const json::value& item : value.as_array()) Check(item, object.at("items"), where + "[]");
    } else if (name == "string") {
      ASSERT_TRUE(value.is_string()) << where << " " << value;
      const auto* format = object.if_contains("format");
      if (format && *format == "date-time") {
        EXPECT_TRUE(ParseInstant(std::string_view(value.as_string()))) << where << " " << value;
      }
    } else if (name == "boolean") {
      EXPECT_TRUE(value.is_bool()) << where << " " << value;
    } else if (name == "integer") {
      EXPECT_TRUE(value.is_int64() || value.is_uint64()) << where << " " << value;
    } else if (name == "object") {
      ADD_FAILURE() << where << " should be an object: " << value;
    }
  }

 private:
  static bool Fits(std::string_view path, const std::vector<std::string>& segments) {
    std::size_t at = 1;
    while (!path.empty()) {
      path.remove_prefix(1);
      const std::size_t slash = path.find('/');
      const std::string_view part = path.substr(0, slash);
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
      if (at >= segments.size()) return false;
      if (!part.starts_with('{') && !EqualsIgnoreCase(part, segments[at])) return false;
      ++at;
    }
    return at == segments.size();
  }

  static bool Nullable(const json::value& schema) {
    const auto* object = schema.if_object();
    const auto* flag = object ? object->if_contains("nullable") : nullptr;
    return flag && flag->is_bool() && flag->as_bool();
  }

  const json::value& Resolve(const json::value& schema) const {
    const json::value* at = &schema;
    while (const auto* reference = at->as_object().if_contains("$ref")) {
      // "#/components/schemas/microsoft.graph.message"
      std::string_view rest = std::string_view(reference->as_string()).substr(2);
      at = &document_;
      while (!rest.empty()) {
        const std::size_t slash = rest.find('/');
        at = &at->at(rest.substr(0, slash));
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
      }
    }
    return *at;
  }

  /// Own members and those of every parent.
  void Collect(const json::value& given, std::map<std::string, const json::value*>& members) const {
    const json::value& schema = Resolve(given);
    if (const auto* parents = schema.as_object().if_contains("allOf")) {
      for (const json::value& parent : parents->as_array()) Collect(parent, members);
    }
    if (const auto* own = schema.as_object().if_contains("properties")) {
      for (const auto& [name, member] : own->as_object()) members[std::string(name)] = &member;
    }
  }

  void CheckMembers(const json::object& value, const json::value& schema, const std::string& where) const {
    std::map<std::string, const json::value*> members;
    Collect(schema, members);
    // The declared type may be an ancestor of the real one.
    if (const auto* type = value.if_contains("@odata.type")) {
      const std::string name = std::string(std::string_view(type->as_string()).substr(1));
      const auto& schemas = document_.at("components").at("schemas").as_object();
      if (const auto* real = schemas.if_contains(name)) Collect(*real, members);
    }
    // A body or header fields of a batch: of any form.
    if (members.empty() || schema.as_object().contains("additionalProperties")) return;
    for (const auto& [name, member] : value) {
      if (name.contains("@") || kExtra.contains(std::string_view(name))) continue;
      const auto known = members.find(std::string(name));
      EXPECT_NE(known, members.end()) << where << " has no member " << name;
      if (known != members.end()) Check(member, *known->second, where + "." + std::string(name));
    }
  }

  json::value document_;
};

/// Answers validation requests as a good receiver does.
class EchoingOutgoing final : public Outgoing {
 public:
  bool Send(OutgoingRequest request, Done done) override {
    Request parsed;
    parsed.SetTarget(request.url.substr(request.url.find('/', 8)));
    OutgoingAnswer answer;
    answer.status = 200;
    answer.headers.Add("Content-Type", "text/plain");
    answer.body = parsed.query.Get("validationToken");
    done(std::move(answer));
    return true;
  }
};

class OpenApi : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const given = std::getenv("LATCHKEY_PROVIDERS");
    const std::string folder = given ? given : LATCHKEY_SOURCE_DIR "/../shared/providers";
    std::ifstream in(folder + "/microsoft/graph-mail-calendar.openapi.json");
    if (!in)
      GTEST_SKIP() << "the provider documents are not at " << folder << " (LATCHKEY_PROVIDERS names another place)";
    document_ = std::make_unique<Document>(json::parse(std::string((std::istreambuf_iterator<char>(in)), {})));
    service_.Add(area_);
    service_.Add(subscriptions_);
    static_cast<void>(area_.ImportSample(ada_, clock_.Now()));
  }

  /// Sends, checks the answer against the document, and returns its body.
  json::object Ask(const std::string& method, std::string target, int status, const json::value& body = nullptr) {
    if (const std::size_t at = target.find("/v1.0"); at != std::string::npos) target = target.substr(at + 5);
    Request request;
    request.method = method;
    request.SetTarget("/v1.0" + target);
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers.Add("Prefer", "IdType=\"ImmutableId\"");
    if (!body.is_null()) request.body = json::serialize(body);
    GraphService::Prepare(request, &ada_);
    const std::vector<std::string> segments = request.segments;
    Response response = service_.Handle(request, grant_);
    if (response.deferred) {
      Response later;
      response.deferred->Then([&](Response answer) { later = std::move(answer); });
      response = std::move(later);
    }
    EXPECT_EQ(response.status, status) << method << " " << target << " " << response.body;
    bool described = false;
    const json::value* schema = document_->Answer(method, segments, response.status, described);
    EXPECT_TRUE(described) << method << " " << target << " " << response.status << " is not in the document";
    boost::system::error_code error;
    const json::value parsed = json::parse(response.body, error);
    if (error || !parsed.is_object()) return {};
    if (schema) document_->Check(parsed, *schema, method + " " + target);
    return parsed.as_object();
  }
  static std::string Id(const json::object& object) { return std::string(object.at("id").as_string()); }

  ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts_;
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com", "Ada Example");
  Settings settings_;
  Schedule schedule_{clock_};
  EchoingOutgoing outgoing_;
  GraphService service_{clock_, settings_};
  MailArea area_{clock_, accounts_, settings_, schedule_};
  Subscriptions subscriptions_{settings_, schedule_, outgoing_};
  Grant grant_{&ada_, "client", {"Mail.ReadWrite", "Mail.Send", "User.Read"}};
  std::unique_ptr<Document> document_;
};

TEST_F(OpenApi, ReadingMail) {
  Ask("GET", "/me", 200);
  const json::object list = Ask("GET", "/me/messages?$top=100&$count=true&$expand=attachments", 200);
  EXPECT_EQ(list.at("value").as_array().size(), 100u);
  const std::string id = Id(list.at("value").at(0).as_object());
  Ask("GET", "/me/messages/" + id + "?$select=internetMessageHeaders,uniqueBody,body", 200);
  Ask("GET", "/me/messages/" + id + "/$value", 200);
  Ask("GET", "/me/messages/$count", 200);
  Ask("GET", "/me/mailFolders/inbox/messages", 200);
  Ask("GET", "/me/mailFolders/inbox/messages/" + id, 200);
  Ask("GET", "/me/mailFolders/inbox/messages/$count", 200);
  json::object page = Ask("GET", "/me/mailFolders/inbox/messages/delta", 200);
  while (page.contains("@odata.nextLink")) {
    page = Ask("GET", std::string(page.at("@odata.nextLink").as_string()), 200);
  }
  static_cast<void>(area_.Delete(ada_, id));
  Ask("GET", std::string(page.at("@odata.deltaLink").as_string()), 200);
  Ask("GET", "/me/mailFolders", 200);
  Ask("GET", "/me/mailFolders/inbox", 200);
  Ask("GET", "/me/mailFolders/inbox/childFolders", 200);
  Ask("GET", "/me/mailFolders/delta", 200);
  Ask("POST", "/me/translateExchangeIds", 200, {{"inputIds", {id}}, {"targetIdType", "restId"}});
}

TEST_F(OpenApi, ChangingAndSendingMail) {
  const json::value message = json::parse(R"({"subject": "s", "body": {"contentType": "text", "content": "x"},
      "toRecipients": [{"emailAddress": {"address": "bo@example.org"}}]})");
  const std::string draft = Id(Ask("POST", "/me/messages", 201, message));
  Ask("POST", "/me/mailFolders/drafts/messages", 201, message);
  Ask("PATCH", "/me/messages/" + draft, 200, {{"subject", "t"}, {"isRead", true}});
  const std::string file = Id(Ask("POST", "/me/messages/" + draft + "/attachments", 201,
                                  json::parse(R"({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt",
                                                  "contentBytes": "YQ=="})")));
  Ask("GET", "/me/messages/" + draft + "/attachments", 200);
  Ask("GET", "/me/messages/" + draft + "/attachments/" + file, 200);
  Ask("DELETE", "/me/messages/" + draft + "/attachments/" + file, 204);
  Ask("POST", "/me/messages/" + draft + "/attachments/createUploadSession", 201,
      json::parse(R"({"AttachmentItem": {"attachmentType": "file", "name": "b", "size": 10}})"));
  const std::string copy = Id(Ask("POST", "/me/messages/" + draft + "/copy", 201, {{"destinationId", "archive"}}));
  Ask("POST", "/me/messages/" + copy + "/move", 201, {{"destinationId", "inbox"}});
  for (const char* reply : {"createReply", "createReplyAll", "createForward"}) {
    Ask("POST", "/me/messages/" + copy + "/" + reply, 201, json::object());
  }
  Ask("POST", "/me/messages/" + copy + "/forward", 202,
      {{"toRecipients", json::parse(R"([{"emailAddress": {"address": "bo@example.org"}}])")}});
  Ask("DELETE", "/me/messages/" + copy, 204);
  Ask("POST", "/me/messages/" + copy + "/permanentDelete", 204);
  Ask("POST", "/me/messages/" + draft + "/send", 202);
  Ask("POST", "/me/sendMail", 202, {{"message", message}});
  const std::string folder = Id(Ask("POST", "/me/mailFolders", 201, {{"displayName", "New"}}));
  Ask("POST", "/me/mailFolders/" + folder + "/childFolders", 201, {{"displayName", "Child"}});
  Ask("PATCH", "/me/mailFolders/" + folder, 200, {{"displayName", "Newer"}});
  Ask("POST", "/me/mailFolders/" + folder + "/move", 200, {{"destinationId", "inbox"}});
  Ask("DELETE", "/me/mailFolders/" + folder, 204);
}

TEST_F(OpenApi, SubscriptionsBatchesAndRefusals) {
  const json::value wish = {{"changeType", "created"},
                            {"notificationUrl", "https://app.example/hook"},
                            {"resource", "me/messages"},
                            {"expirationDateTime", "2026-11-21T00:00:00Z"}};
  const std::string id = Id(Ask("POST", "/subscriptions", 201, wish));
  Ask("POST", "/subscriptions", 409, wish);
  Ask("GET", "/subscriptions", 200);
  Ask("GET", "/subscriptions/" + id, 200);
  Ask("PATCH", "/subscriptions/" + id, 200, {{"expirationDateTime", "2026-11-22T00:00:00Z"}});
  Ask("POST", "/subscriptions/" + id + "/reauthorize", 200);
  Ask("DELETE", "/subscriptions/" + id, 204);
  Ask("GET", "/subscriptions/" + id, 404);
  Ask("GET", "/me/messages/nonsense", 400);
  Ask("GET", "/me/messages/delta", 400);
  Ask("POST", "/$batch", 200, json::parse(R"({"requests": [{"id": "1", "method": "GET", "url": "/me"},
      {"id": "2", "method": "GET", "url": "/me/messages/nonsense"}]})"));
}

}  // namespace
}  // namespace latchkey::simulator::graph
