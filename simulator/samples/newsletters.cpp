#include <fmt/format.h>

#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {
namespace {

struct Brand {
  Person from;
  std::string_view list;    ///< List-Id and the host of links and images.
  std::string_view accent;  ///< Colour of the band and the buttons.
  std::string_view paper;   ///< Background.
  std::string_view tagline;
  std::string_view category;
};

struct Article {
  std::string_view title;
  std::string_view text;
  std::string_view button;
};

struct Issue {
  const Brand* brand;
  std::string_view subject;
  minutes ago;
  std::string_view lead;
  std::vector<Article> articles;
};

/// As real newsletters are: tables, inline styles, images from elsewhere and a tracking pixel. Nothing of it may load
/// before the reader says so.
std::string Html(const Issue& issue, unsigned number) {
  const Brand& brand = *issue.brand;
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>@media (max-width:600px)"
      "{{.column{{width:100%!important}}}}</style></head>\n<body style=\"margin:0;background:{1};"
      "font-family:Georgia,serif;color:#2b2b2b\">\n<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
      "cellspacing=\"0\"><tr><td align=\"center\" style=\"padding:24px\">\n<table class=\"column\" "
      "role=\"presentation\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" style=\"background:#ffffff;"
      "border-radius:8px;overflow:hidden\">\n<tr><td style=\"background:{2};color:#ffffff;padding:28px 32px\">\n"
      "<div style=\"font-size:13px;letter-spacing:.12em;text-transform:uppercase\">{3}</div>\n"
      "<h1 style=\"margin:6px 0 0;font-size:28px;font-weight:normal\">{0}</h1></td></tr>\n"
      "<tr><td><img src=\"https://images.{4}/issue-{5}/header.jpg\" width=\"600\" height=\"220\" alt=\"\" "
      "style=\"display:block;width:100%;height:auto\"></td></tr>\n"
      "<tr><td style=\"padding:28px 32px 8px;font-size:17px;line-height:1.55\">{6}</td></tr>\n",
      issue.subject, brand.paper, brand.accent, brand.tagline, brand.list, number, issue.lead);
  for (const Article& article : issue.articles) {
    out += fmt::format(
        "<tr><td style=\"padding:16px 32px;border-top:1px solid #eeeeee\"><h2 style=\"margin:0 0 6px;font-size:20px\">"
        "{}</h2><p style=\"margin:0 0 12px;font-size:15px;line-height:1.5\">{}</p><a href=\"https://www.{}/read/{}\" "
        "style=\"display:inline-block;background:{};color:#ffffff;text-decoration:none;padding:9px 16px;"
        "border-radius:4px;font-family:Arial,sans-serif;font-size:13px\">{}</a></td></tr>\n",
        article.title, article.text, brand.list, number, brand.accent, article.button);
  }
  out += fmt::format(
      "<tr><td style=\"padding:24px 32px;font-size:12px;color:#777777;font-family:Arial,sans-serif\">You read {0} "
      "because you signed up at {1}. <a href=\"https://www.{1}/leave?issue={2}\" style=\"color:#777777\">Leave the "
      "list</a></td></tr>\n</table></td></tr></table>\n<img src=\"https://pixel.{1}/open.gif?issue={2}\" width=\"1\" "
      "height=\"1\" alt=\"\">\n</body></html>\n",
      brand.from.name, brand.list, number);
  return out;
}

std::string Text(const Issue& issue) {
  std::string out = fmt::format("{}\n\n{}\n", issue.subject, issue.lead);
  for (const Article& article : issue.articles) out += fmt::format("\n* {}\n  {}\n", article.title, article.text);
  return out + fmt::format("\n--\nLeave the list: https://www.{}/leave\n", issue.brand->list);
}

std::vector<Issue> Issues() {
  static const Brand kGarden{{"Fjord & Fern", "letters@fjordfern.example"},
                             "fjordfern.example",
                             "#2f6b4f",
                             "#eef4ef",
                             "The slow garden letter",
                             "CATEGORY_PROMOTIONS"};
  static const Brand kPacket{{"The Packet", "hello@packet-weekly.example"},
                             "packet-weekly.example",
                             "#28407a",
                             "#eef1f8",
                             "Networks, explained on Sundays",
                             "CATEGORY_UPDATES"};
  static const Brand kBooks{{"Lantern Books", "shop@lanternbooks.example"},
                            "lanternbooks.example",
                            "#8a3b2e",
                            "#f7efe9",
                            "New on the shelf",
                            "CATEGORY_PROMOTIONS"};
  static const Brand kCity{{"Harbour Weekly", "editor@harbourweekly.example"},
                           "harbourweekly.example",
                           "#1d6f86",
                           "#eaf4f6",
                           "What happens by the water",
                           "CATEGORY_FORUMS"};
  static const Brand kKettle{{"Kettle & Co", "tea@kettle-co.example"},
                             "kettle-co.example",
                             "#a0641c",
                             "#fbf4e8",
                             "Tea, with patience",
                             "CATEGORY_PROMOTIONS"};
  return {
      {&kGarden,
       "What to sow while it rains",
       minutes(190),
       "Rain is not an interruption; it is the work.",
       {{"Broad beans under a tin roof", "Sown now, they are the first thing to eat in spring.", "How to sow"},
        {"A hedge for impatient people", "Hazel, planted as whips, gives shelter in two years.", "Read on"}}},
      {&kPacket,
       "Why a handshake takes three steps",
       hours(17),
       "Two would be polite. Three is safe.",
       {{"Counting from a random number", "Old packets wander. A fresh start keeps them out.", "See the diagrams"},
        {"When both sides call at once", "It happens more often than you think, and it works.", "Read the story"}}},
      {&kCity,
       "Ferries run late this weekend",
       hours(28),
       "The north pier gets new planks, at last.",
       {{"Timetable", "Boats leave every forty minutes from the south steps.", "All departures"},
        {"Night market", "Forty stalls, one brass band and a great many lanterns.", "Who is there"}}},
      {&kBooks,
       "Twelve novels for a long evening",
       days(2) + hours(5),
       "We read them so that you may choose badly less often.",
       {{"The Locksmith's Daughter", "A family, a city and one door that will not open.", "Look inside"},
        {"Salt Maps", "Essays about coasts that moved.", "Look inside"}}},
      {&kKettle,
       "First flush has arrived",
       days(3) + hours(7),
       "Two hundred tins, and then none until next year.",
       {{"How to brew it", "Water at 85 degrees, two minutes, no more.", "Reserve a tin"}}},
      {&kPacket,
       "A short history of the port number",
       days(7) + hours(17),
       "Once they were odd, and there was a reason.",
       {{"The well-known ones", "Who asked for them, and who said yes.", "Read on"}}},
      {&kCity,
       "The swimming pool opens its roof",
       days(8),
       "For the first time in eleven years, weather permitting.",
       {{"Opening hours", "Six in the morning for the brave.", "Plan a visit"},
        {"Letters to the editor", "Gulls: for and against.", "Join in"}}},
      {&kGarden,
       "Seven tools worth sharpening",
       days(10),
       "A sharp spade is half the digging.",
       {{"File or stone?", "Both, in this order.", "See how"}}},
      {&kBooks,
       "Signed copies, while they last",
       days(12),
       "Three authors sat at our table and wrote until their hands hurt.",
       {{"Come by on Friday", "There will be soup.", "Reserve a seat"}}},
      {&kPacket,
       "Clocks that disagree",
       days(14) + hours(17),
       "No two machines tell the same time. Here is how they cope.",
       {{"Asking the neighbours", "Four answers, one of them wrong.", "Read on"}}},
      {&kKettle,
       "We broke a teapot",
       days(20),
       "And learned how to mend it with gold.",
       {{"The mending workshop", "Bring your own shards.", "Sign up"}}},
      {&kCity,
       "Lighthouse open day",
       days(26),
       "One hundred and forty-two steps, one view.",
       {{"Tickets", "Free, but numbered.", "Get a number"}}},
      {&kPacket,
       "The name that points nowhere",
       days(28) + hours(17),
       "What happens when an address is asked for and nobody answers.",
       {{"Negative answers are kept too", "And that is why your change takes an hour.", "Read on"}}},
      {&kGarden,
       "Leaves: leave them",
       days(35),
       "The beetles thank you.",
       {{"Where they help", "Under hedges, never on lawns.", "Read on"}}},
      {&kBooks,
       "Our year in marginal notes",
       days(52),
       "The best remarks readers left in borrowed books.",
       {{"\"Not true, but beautiful\"", "Page 212, in green ink.", "See them all"}}},
  };
}

}  // namespace

void AddNewsletters(SampleSet& set) {
  unsigned number = 100;
  for (const Issue& issue : Issues()) {
    ++number;
    MailDraft draft;
    draft.from = issue.brand->from;
    draft.subject = std::string(issue.subject);
    draft.text = Text(issue);
    draft.html = Html(issue, number);
    draft.encoding = "quoted-printable";
    draft.extra_headers = {
        {"List-Id", fmt::format("<letters.{}>", issue.brand->list)},
        {"List-Unsubscribe", fmt::format("<https://www.{}/leave?issue={}>", issue.brand->list, number)},
        {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
        {"Precedence", "bulk"}};
    std::vector<std::string> labels = {"INBOX", std::string(issue.brand->category)};
    if (issue.ago < hours(40)) labels.emplace_back("UNREAD");
    if (issue.ago > days(25)) labels.erase(labels.begin());
    set.Add(std::move(draft), issue.ago, std::move(labels));
  }
}

}  // namespace latchkey::simulator::samples
