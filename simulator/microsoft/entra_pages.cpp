#include "simulator/microsoft/entra_pages.hpp"

#include <fmt/format.h>

#include "simulator/html.hpp"

namespace latchkey::simulator::entra {
namespace {

std::string Page(std::string_view title, std::string_view content) { return HtmlPage("Microsoft", title, content); }

std::string Form(const std::string& action, const std::string& request_id, std::string_view content) {
  return fmt::format(
      "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"request\" value=\"{}\">\n{}</form>\n",
      EscapeHtml(action), EscapeHtml(request_id), content);
}

}  // namespace

std::string ChooserPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                        const std::vector<const Account*>& accounts) {
  std::string list;
  for (const Account* account : accounts) {
    list += fmt::format(
        "<li><button class=\"account\" name=\"account\" value=\"{}\"><span class=\"face\" "
        "aria-hidden=\"true\">{}</span>"
        "<span><span>{}</span> <span class=\"email\">{}</span></span></button></li>\n",
        EscapeHtml(account->sub), InitialHtml(account->name), EscapeHtml(account->name), EscapeHtml(account->email));
  }
  return Page("Pick an account",
              fmt::format("<h1>Pick an account</h1>\n<p>to continue to {}</p>\n{}", EscapeHtml(client_name),
                          Form(action, request_id,
                               "<ul>" + list +
                                   "</ul><div class=\"choices\"><button name=\"decision\" value=\"cancel\">Back"
                                   "</button></div>")));
}

std::string ConsentPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                        const Account& account, const std::vector<const Scope*>& asked, bool for_organisation) {
  const std::string name = EscapeHtml(client_name);
  std::string list;
  for (const Scope* scope : asked) {
    if (!scope->permission.empty()) {
      list += fmt::format("<li><span class=\"permission\">{}</span></li>\n", EscapeHtml(scope->permission));
    }
  }
  if (list.empty()) list = "<li><span class=\"permission\">View your basic profile</span></li>\n";
  const std::string_view heading =
      for_organisation ? "Permissions requested. Review for your organization" : "Permissions requested";
  return Page(heading,
              fmt::format("<h1>{}</h1>\n<div class=\"chip\">{}</div>\n<p>{} would like to:</p>\n{}", heading,
                          EscapeHtml(account.email), name,
                          Form(action, request_id,
                               fmt::format("<ul>{}</ul><div class=\"choices\">"
                                           "<button name=\"decision\" value=\"deny\">Cancel</button>"
                                           "<button class=\"primary\" name=\"decision\" value=\"approve\">Accept"
                                           "</button></div>",
                                           list))));
}

std::string AdminApprovalPage(const std::string& client_name, const std::string& action, const std::string& request_id,
                              const Account& account) {
  const std::string name = EscapeHtml(client_name);
  return Page("Need admin approval",
              fmt::format("<h1>Need admin approval</h1>\n<div class=\"chip\">{}</div>\n"
                          "<p>{} needs permission to access resources in your organization that only an admin can "
                          "grant. Please ask an admin to grant permission to this app before you can use it.</p>\n"
                          "<p>AADSTS90094</p>\n{}",
                          EscapeHtml(account.email), name,
                          Form(action, request_id,
                               "<div class=\"choices\"><button name=\"decision\" value=\"deny\">Return to the "
                               "application without granting consent</button></div>")));
}

std::string ErrorPage(const PageError& error, Instant now) {
  return Page("Sign in to your account",
              fmt::format("<h1>Sorry, but we're having trouble signing you in.</h1>\n<p>{}</p>\n",
                          EscapeHtml(Describe(*error.error, error.detail, now))));
}

std::string SignedOutPage() {
  return Page("Sign out",
              "<h1>You signed out of your account</h1>\n<p>It's a good idea to close all browser windows."
              "</p>\n");
}

}  // namespace latchkey::simulator::entra
