#include <fmt/format.h>

#include "simulator/samples/files.hpp"
#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {
namespace {

struct Invoice {
  Person from;
  std::string_view number;
  std::string_view subject;
  std::string_view text;
  std::vector<std::string> lines;  ///< Of the PDF.
  minutes ago;
};

void AddInvoice(SampleSet& set, const Invoice& invoice) {
  MailDraft draft;
  draft.from = invoice.from;
  draft.subject = std::string(invoice.subject);
  draft.text = std::string(invoice.text);
  draft.html = SimpleHtml(invoice.text, false);
  draft.attachments.push_back({.name = fmt::format("invoice-{}.pdf", invoice.number),
                               .type = "application/pdf",
                               .bytes = MakePdf(invoice.lines)});
  set.Add(std::move(draft), invoice.ago, {"INBOX", "Invoices", "CATEGORY_UPDATES"});
}

void AddInvoices(SampleSet& set) {
  AddInvoice(set, {{"Brightwire Power", "billing@brightwire.example"},
                   "20417",
                   "Your electricity bill for October",
                   "Hello,\n\nyour bill for October is attached. It comes to 64.20 and is taken from your account on "
                   "the 28th. You used a little less than last year; the attic insulation seems to work.\n\nBrightwire "
                   "Power\n",
                   {"Brightwire Power", "Invoice 20417", "", "Electricity, October   212 kWh   55.97",
                    "Standing charge                   8.23", "Total                            64.20"},
                   days(1) + hours(11)});
  AddInvoice(set, {{"Fernhill Dental", "accounts@fernhill-dental.example"},
                   "F-1180",
                   "Invoice F-1180",
                   "Good morning,\n\nplease find the invoice for your check-up attached. Everything looked splendid; "
                   "we still recommend flossing.\n\nFernhill Dental\n",
                   {"Fernhill Dental", "Invoice F-1180", "", "Check-up and cleaning   80.00", "Due within 30 days"},
                   days(17)});
  AddInvoice(set,
             {{"Schreinerei Ahornweg", "rechnung@ahornweg.example"},
              "2026-0093",
              "Rechnung 2026-0093: Küchenregal",
              "Guten Tag,\n\nanbei die Rechnung für das Küchenregal. Bei Zahlung innerhalb von zehn Tagen gewähren "
              "wir zwei Prozent Skonto – und freuen uns über ein Foto.\n\nSchreinerei Ahornweg\n",
              {"Schreinerei Ahornweg", "Rechnung 2026-0093", "", "Kuechenregal, Eiche geoelt   640,00",
               "Montage                      120,00", "Gesamt                       760,00"},
              days(23)});

  MailDraft draft;
  draft.from = {"Cooperative Accounts", "accounts@cooperativa-norte.example"};
  draft.subject = "Quarterly figures and last year's comparison";
  draft.text =
      "Hello,\n\nthe figures for the quarter are attached as a table, the summary as a PDF. The dip in August is the "
      "roof.\n\nRegards,\nAccounts\n";
  draft.attachments.push_back({.name = "quarter.csv",
                               .type = "text/csv",
                               .bytes = "month,income,expenses\r\nJuly,4120.50,3380.00\r\nAugust,3975.00,5210.75\r\n"
                                        "September,4410.25,3105.40\r\n"});
  draft.attachments.push_back({.name = "summary.pdf",
                               .type = "application/pdf",
                               .bytes = MakePdf({"Quarterly summary", "Income 12505.75", "Expenses 11696.15"})});
  set.Add(std::move(draft), days(5) + hours(2), {"INBOX", "Work", "STARRED"});
}

void AddInvitations(SampleSet& set) {
  const Instant day = std::chrono::floor<days>(set.now()) + days(3);
  MailDraft draft;
  draft.from = {"Priya Raman", "priya@lumen-design.example"};
  draft.subject = "Invitation: Logo hand-over";
  draft.text = "You are invited to: Logo hand-over\nWhere: Studio, second floor\n\nThere will be cake.\n";
  draft.html = SimpleHtml(draft.text, false);
  draft.attachments.push_back(
      {.name = "invite.ics",
       .type = "text/calendar",
       .bytes = MakeIcs("handover-1@lumen-design.example", "Logo hand-over", "Studio\\, second floor",
                        "priya@lumen-design.example", set.owner().email, day + hours(14), day + hours(15)),
       .extra_parameters = "; charset=utf-8; method=REQUEST"});
  set.Add(std::move(draft), hours(8), {"INBOX", "Work", "UNREAD", "IMPORTANT"});

  MailDraft concert;
  concert.from = {"Harbour Choir", "concerts@harbourchoir.example"};
  concert.subject = "Save the date: winter concert";
  concert.text = "Dear singers,\n\nthe winter concert is set. The calendar entry is attached.\n\nThe committee\n";
  concert.attachments.push_back(
      {.name = "winter-concert.ics",
       .type = "text/calendar",
       .bytes = MakeIcs("winter@harbourchoir.example", "Winter concert", "Boathouse", "concerts@harbourchoir.example",
                        set.owner().email, day + days(20) + hours(18), day + days(20) + hours(21)),
       .extra_parameters = "; charset=utf-8; method=REQUEST"});
  set.Add(std::move(concert), days(9) + hours(3), {"INBOX", "Choir"});
}

void AddPictures(SampleSet& set) {
  MailDraft draft;
  draft.from = {"Sam Lindqvist", "sam.lindqvist@example.net"};
  draft.subject = "Sunset from the ferry";
  draft.text = "Look at this! [image]\n\nThe second one is for your wall.\n\nSam\n";
  draft.html =
      "<div><p>Look at this!</p><p><img src=\"cid:sunset@example.net\" width=\"320\" height=\"200\" alt=\"Sunset over "
      "the water\"></p><p>The second one is for your wall.</p><p>Sam</p></div>\n";
  draft.attachments.push_back({.name = "sunset.png",
                               .type = "image/png",
                               .bytes = MakePng(320, 200, 0xF4A261, 0x264653),
                               .content_id = "sunset@example.net"});
  draft.attachments.push_back(
      {.name = "sunset-large.png", .type = "image/png", .bytes = MakePng(960, 600, 0xE76F51, 0x1D3557)});
  set.Add(std::move(draft), minutes(330), {"INBOX", "UNREAD", "Friends"});

  MailDraft card;
  card.from = {"Chloé Pirès", "chloe.pires@example.org"};
  card.subject = "Carte postale de Concarneau";
  card.text = "Il pleut, il vente, c'est parfait.\n\nChloé\n";
  card.html =
      "<div style=\"text-align:center\"><img src=\"cid:carte\" alt=\"La mer\"><p style=\"font-style:italic\">Il pleut, "
      "il vente, c'est parfait.</p><p>Chloé</p></div>\n";
  card.attachments.push_back({.name = "carte-été.png",
                              .type = "image/png",
                              .bytes = MakePng(240, 160, 0x8ECAE6, 0x023047),
                              .content_id = "carte"});
  set.Add(std::move(card), days(30), {"Friends"});
}

struct Notice {
  Person from;
  std::string_view subject;
  std::string_view text;
  minutes ago;
  std::string_view category;
};

void AddNotices(SampleSet& set) {
  const std::vector<Notice> notices = {
      {{"Tsubame Parcel", "track@tsubame-parcel.example"},
       "Your parcel is on its way",
       "Good news: parcel 4417-2209 has left the depot.\n\nExpected: tomorrow between 10:00 and 12:00.\n",
       minutes(64),
       "CATEGORY_UPDATES"},
      {{"Latch Status", "status@latch-status.example"},
       "Resolved: slow answers in region north",
       "From 06:10 to 06:42 UTC some requests took longer than usual. A cable was moved; it has been moved back.\n",
       hours(14),
       "CATEGORY_UPDATES"},
      {{"Build Robot", "builds@lumen-design.example"},
       "[site] build 812 failed: 1 of 214 tests",
       "The test \"footer keeps its distance\" failed on line 88.\n\nLast good build: 811, eleven minutes earlier.\n",
       hours(19),
       "CATEGORY_FORUMS"},
      {{"Build Robot", "builds@lumen-design.example"},
       "[site] build 813 passed",
       "All 214 tests passed in 3 min 12 s.\n",
       hours(18),
       "CATEGORY_FORUMS"},
      {{"Ringelblume Bank", "service@ringelblume-bank.example"},
       "New sign-in from a device we know",
       "Somebody signed in with your key. If it was you, there is nothing to do.\n",
       days(2) + hours(12),
       "CATEGORY_UPDATES"},
      {{"Commons Forum", "noreply@commons-forum.example"},
       "Leo answered your question about door hinges",
       "\"Use brass screws, or the rain will find you.\"\n\nRead the thread: https://www.commons-forum.example/t/551\n",
       days(3) + hours(14),
       "CATEGORY_SOCIAL"},
      {{"Commons Forum", "noreply@commons-forum.example"},
       "Three new members in \"Old Locks\"",
       "Say hello to Imre, Saoirse and Kofi.\n",
       days(11) + hours(5),
       "CATEGORY_SOCIAL"},
      {{"City Cycling", "hello@citycycling.example"},
       "Your membership card for the coming year",
       "Thank you for riding with us. Your number stays the same: 30211.\n",
       days(40),
       "CATEGORY_UPDATES"},
  };
  for (const Notice& notice : notices) {
    MailDraft draft;
    draft.from = notice.from;
    draft.subject = std::string(notice.subject);
    draft.text = std::string(notice.text);
    draft.html = SimpleHtml(notice.text, false);
    draft.extra_headers = {{"Auto-Submitted", "auto-generated"}};
    std::vector<std::string> labels = {"INBOX", std::string(notice.category)};
    if (notice.ago < hours(15)) labels.emplace_back("UNREAD");
    set.Add(std::move(draft), notice.ago, std::move(labels));
  }
}

}  // namespace

void AddInvoicesAndNotices(SampleSet& set) {
  AddInvoices(set);
  AddInvitations(set);
  AddPictures(set);
  AddNotices(set);
}

}  // namespace latchkey::simulator::samples
