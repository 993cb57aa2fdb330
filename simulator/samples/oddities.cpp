// Mail that tries a reader's patience, each piece on purpose.
#include <fmt/format.h>

#include "simulator/samples/files.hpp"
#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {
namespace {

void AddStructures(SampleSet& set) {
  MailDraft nothing;
  nothing.from = {"", "door@lumen-design.example"};
  set.Add(std::move(nothing), days(2) + hours(20), {"INBOX"});  // No subject, no name, no body.

  MailDraft html_only;
  html_only.from = {"Night Market", "stalls@harbourweekly.example"};
  html_only.subject = "Your stall: number 17";
  html_only.html =
      "<table border=\"1\" cellpadding=\"6\" style=\"border-collapse:collapse\"><caption>Stall 17</caption><tr><th>Set "
      "up</th><td>16:30</td></tr><tr><th>Open</th><td>18:00</td></tr><tr><th>Power</th><td>yes</td></tr></table>\n"
      "<script>alert('this must never run')</script>\n<form action=\"https://collect.example/\"><input name=\"q\">"
      "<button>Send</button></form>\n";
  set.Add(std::move(html_only), days(1) + hours(5), {"INBOX"});

  MailDraft inner;
  inner.from = {"Ida Solberg", "ida.solberg@example.org"};
  inner.to = {{"June Abernathy", "june@abernathy.example"}};
  inner.subject = "Cuttings of the old pear tree";
  inner.text = "June, the cuttings are wrapped in moss and leave tomorrow.\n\nIda\n";
  inner.message_id = "<pear-1.latchkey-sample@example.org>";
  inner.date = set.now() - days(6);
  MailDraft forward;
  forward.from = {"June Abernathy", "june@abernathy.example"};
  forward.subject = "Fwd: Cuttings of the old pear tree";
  forward.text = "Ida's letter is attached. Half of them are for you.\n\nJune\n";
  forward.attachments.push_back({.name = "cuttings.eml", .type = "message/rfc822", .bytes = BuildMail(inner)});
  set.Add(std::move(forward), days(5) + hours(22), {"INBOX"});

  MailDraft bounce;
  bounce.from = {"Mail Delivery Subsystem", "mailer-daemon@example.net"};
  bounce.subject = "Delivery Status Notification (Failure)";
  bounce.text =
      "Your message could not be delivered to old.address@example.org: no such mailbox.\n\nIt was sent once and will "
      "not "
      "be tried again.\n";
  bounce.attachments.push_back({.name = "details.txt",
                                .type = "text/plain",
                                .bytes = "Reporting-MTA: dns; mx.example.net\r\nFinal-Recipient: rfc822; "
                                         "old.address@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"});
  set.Add(std::move(bounce), days(13) + hours(2), {"INBOX"});
}

void AddNames(SampleSet& set) {
  MailDraft files;
  files.from = {"佐々木 はるか", "haruka.sasaki@example.org"};
  files.subject = "旅程表と写真";
  files.text = "旅程表をお送りします。\n\nはるか\n";
  files.rfc2231_names = true;
  files.attachments.push_back(
      {.name = "旅程表（最終版）.pdf", .type = "application/pdf", .bytes = MakePdf({"Itinerary", "08:00 station"})});
  set.Add(std::move(files), days(10) + hours(6), {"INBOX", "Friends"});

  MailDraft reversed;
  reversed.from = {"Unknown Sender", "no-reply@prize-office.example"};
  reversed.subject = "You have won a prize!!! Act now";
  reversed.text = "Dear winner, open the attached document to claim your prize.\n";
  // U+202E turns the end of the name around: it looks like "prize_cod.txt".
  reversed.attachments.push_back(
      {.name = "prize_\u202Etxt.doc", .type = "application/octet-stream", .bytes = "There is no prize.\n"});
  set.Add(std::move(reversed), days(2) + hours(2), {"SPAM", "UNREAD"});

  MailDraft subject;
  subject.from = {"Leo \"the Pen\" Marchetti, Esq.", "leo.marchetti@lumen-design.example"};
  subject.subject =
      "Re: Re: AW: very long subjects, and why nobody reads them to the end 🗝️🚪 although the end is where the point "
      "of "
      "the whole letter is hidden: lunch is at one, not at half past twelve";
  subject.text = "See above.\n";
  set.Add(std::move(subject), days(1) + hours(14), {"INBOX", "Work"});

  MailDraft many;
  many.from = {"Harbour Choir", "concerts@harbourchoir.example"};
  many.subject = "List of voices, please check your line";
  many.text = "Sopranos first, as ever. Tell us if we spelled you wrong.\n";
  for (const char* name : {"Ada Novak", "Bram Visser", "Carys Pugh", "Dario Conti", "Edda Lind", "Farid Aziz",
                           "Greta Holm", "Hana Sato", "Ivo Petrov", "Jun Park", "Kaja Dahl", "Lev Stern"}) {
    std::string address(name);
    for (char& c : address) c = c == ' ' ? '.' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    many.cc.push_back({name, address + "@example.org"});
  }
  set.Add(std::move(many), days(20) + hours(9), {"INBOX", "Choir"});
}

void AddPlaces(SampleSet& set) {
  MailDraft trash;
  trash.from = {"Kettle & Co", "tea@kettle-co.example"};
  trash.subject = "Last chance, really";
  trash.text = "We said so yesterday as well.\n";
  set.Add(std::move(trash), days(3) + hours(1), {"TRASH", "CATEGORY_PROMOTIONS"});

  MailDraft spam;
  spam.from = {"Cheap Keys Online", "deals@cheap-keys.example"};
  spam.subject = "90% off a11 keys t0day";
  spam.html =
      "<p style=\"font-size:40px;color:#ff0000\"><blink>KEYS!</blink></p><img "
      "src=\"https://t.cheap-keys.example/x.gif\">\n";
  set.Add(std::move(spam), hours(16), {"SPAM", "UNREAD"});

  MailDraft note;
  note.from = set.owner();
  note.subject = "Note to self: spare key";
  note.text = "The spare key is NOT under the flower pot any more. Ask June.\n";
  set.Add(std::move(note), days(14) + hours(8), {"INBOX", "SENT", "STARRED"});

  MailDraft draft;
  draft.from = set.owner();
  draft.to = {{"Zofia Żurawska", "zofia.zurawska@example.org"}};
  draft.subject = "Boots for the mountains";
  draft.text = "Dear Zofia,\n\nwhich boots would you\n";
  set.Add(std::move(draft), days(3) + hours(3), {"DRAFT"});

  MailDraft flowed;
  flowed.from = {"Tom Okafor", "tom.okafor@example.org"};
  flowed.subject = "Minutes of the committee";
  flowed.text =
      "Present: Mara, June, Tom.\n\n1. Heating: the plumber has seen it and sighed.\n2. Boathouse: thanks to everybody "
      "who carried chairs.\n3. Concert: posters by the 12th.\n\nFrom now on minutes come on Mondays.\n-- \nTom Okafor\n"
      "Harbour Choir\n";
  flowed.encoding = "8bit";
  set.Add(std::move(flowed), minutes(4), {"INBOX", "UNREAD", "Choir"});
}

}  // namespace

void AddOddities(SampleSet& set) {
  AddStructures(set);
  AddNames(set);
  AddPlaces(set);
}

}  // namespace latchkey::simulator::samples
