#include "simulator/google/pages.hpp"

#include <fmt/format.h>

#include "simulator/html.hpp"

namespace latchkey::simulator {
namespace {

std::string Escape(std::string_view text) { return EscapeHtml(text); }
std::string Page(std::string_view title, std::string_view content) { return HtmlPage("Google", title, content); }

}  // namespace

std::string ChooserPage(const std::string& client_name, const std::string& request_id,
                        const std::vector<const Account*>& accounts) {
  std::string list;
  for (const Account* account : accounts) {
    list += fmt::format(
        "<li><button class=\"account\" name=\"account\" value=\"{}\"><span class=\"face\" "
        "aria-hidden=\"true\">{}</span>"
        "<span><span>{}</span> <span class=\"email\">{}</span></span></button></li>\n",
        Escape(account->sub), InitialHtml(account->name), Escape(account->name), Escape(account->email));
  }
  return Page("Choose an account",
              fmt::format("<h1>Choose an account</h1>\n<p>to continue to {}</p>\n"
                          "<form method=\"post\" action=\"auth/account\">"
                          "<input type=\"hidden\" name=\"request\" value=\"{}\">\n<ul>{}</ul></form>\n",
                          Escape(client_name), Escape(request_id), list));
}

std::string ConsentPage(const std::string& client_name, const std::string& request_id, const Account& account,
                        const std::vector<const Scope*>& asked) {
  const std::string name = Escape(client_name);
  std::string heading = fmt::format("{} wants access to your Google Account", name);
  std::string text = fmt::format("This will allow {} to:", name);
  std::string list;
  if (asked.empty()) {
    heading = fmt::format("Sign in to {}", name);
    text = fmt::format("Google will allow {} to see your name, email address, and profile picture.", name);
  } else if (asked.size() == 1) {
    list = fmt::format("<ul><li><span class=\"permission\">{}</span></li></ul>\n", Escape(asked.front()->permission));
  } else {
    text = fmt::format("Select what {} can access:", name);
    for (const Scope* scope : asked) {
      list += fmt::format(
          "<li><label class=\"permission\"><input type=\"checkbox\" name=\"scope\" value=\"{}\" checked> "
          "{}</label></li>\n",
          Escape(scope->name), Escape(scope->permission));
    }
    list = "<ul>" + list + "</ul>\n";
  }
  return Page(heading,
              fmt::format("<h1>{}</h1>\n<div class=\"chip\">{}</div>\n<p>{}</p>\n"
                          "<form method=\"post\" action=\"consent\">"
                          "<input type=\"hidden\" name=\"request\" value=\"{}\">\n{}"
                          "<div class=\"choices\"><button name=\"decision\" value=\"deny\">Cancel</button>"
                          "<button class=\"primary\" name=\"decision\" value=\"approve\">Continue</button></div>"
                          "</form>\n",
                          heading, Escape(account.email), text, Escape(request_id), list));
}

std::string ErrorPage(const std::string& client_name, const PageError& error) {
  return Page("Access blocked",
              fmt::format("<h1>Access blocked: {}'s request is invalid</h1>\n<p>{}</p>\n<p>Error {}: {}</p>\n",
                          Escape(client_name), Escape(error.explanation), error.status, Escape(error.code)));
}

}  // namespace latchkey::simulator
