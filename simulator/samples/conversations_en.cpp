#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {

std::vector<Conversation> EnglishConversations() {
  const Person mara{"Mara Whitfield", "mara.whitfield@harbourchoir.example"};
  const Person tom{"Tom Okafor", "tom.okafor@example.org"};
  const Person priya{"Priya Raman", "priya@lumen-design.example"};
  const Person sam{"Sam Lindqvist", "sam.lindqvist@example.net"};
  const Person june{"June Abernathy", "june@abernathy.example"};
  const Person leo{"Leo Marchetti", "leo.marchetti@lumen-design.example"};
  const Person library{"Northgate Library", "desk@northgate-library.example"};
  return {
      {.subject = "Rehearsal moved to the boathouse",
       .language = "en",
       .people = {mara, tom},
       .turns = {{0, hours(5),
                  "Dear all,\n\nthe heating in the parish hall has given up for good, so on Thursday we sing in the "
                  "boathouse instead. Doors open at 18:45; please bring a folding chair if you own one.\n\nWe start "
                  "with the Fauré and leave the round for last.\n\nMara"},
                 {1, hours(4), "I can bring six chairs and the small lamp. Does the boathouse have a kettle?\n\nTom"},
                 {-1, hours(3), "I have a kettle and plenty of tea. See you there at half past six to set up."},
                 {0, minutes(14),
                  "You are both treasures. Tom, could you collect the scores from the hall on your way? The caretaker "
                  "is there until five.\n\nMara"}},
       .labels = {"Choir"},
       .html = true,
       .starred = true},
      {.subject = "Logo drafts, second round",
       .language = "en",
       .people = {priya, leo},
       .turns = {{0, days(2),
                  "Hi {me},\n\nhere is where we landed after Monday: three marks, each in one colour and in two. My "
                  "favourite is B because it still works at 16 pixels.\n\nTell me which one makes you want to open the "
                  "door.\n\nPriya"},
                 {-1, days(2) - hours(3),
                  "B, without a doubt. Could the lower arc be a little heavier? On my phone it nearly vanishes."},
                 {0, days(1) + hours(20), "Good eye. Heavier arc is in the folder as B2, next to the old one."},
                 {1, hours(9), "B2 is signed off from my side. Print files follow tomorrow.\n\nLeo"}},
       .labels = {"Work"},
       .html = true},
      {.subject = "Allotment: who waters in August?",
       .language = "en",
       .people = {june, sam},
       .turns = {{0, days(9),
                  "Neighbours,\n\nI am away from the 3rd to the 17th. Would one of you look after the tomatoes and the "
                  "beans? In return you may eat whatever ripens, which if the weather holds will be a great deal.\n\n"
                  "June"},
                 {1, days(9) - hours(2), "First week is mine. The key is still under the blue pot, I take it?"},
                 {-1, days(8), "Then I take the second week. I will try not to drown the courgettes this time."},
                 {0, days(8) - hours(5), "Bless you both. The hose leaks at the third joint; stand on the left."}},
       .html = false},
      {.subject = "Book club: next month's choice",
       .language = "en",
       .people = {sam},
       .turns = {{0, days(21),
                  "We have two votes for the lighthouse novel, two for the essays on maps and one for \"anything "
                  "short, please\". You have the casting vote.\n\nSam"},
                 {-1, days(20), "Maps. And I promise to actually finish it this time."}},
       .archived = true},
      {.subject = "Flat viewing on Saturday",
       .language = "en",
       .people = {{"Keel & Harbour Lettings", "viewings@keel-harbour.example"}},
       .turns = {{0, days(4),
                  "Good afternoon,\n\nthank you for your interest in 12 Rope Walk. We can offer a viewing on Saturday "
                  "at 10:40 or at 11:20. The current tenants ask visitors to take off their shoes.\n\nKind regards,\n"
                  "Imogen Vale\nKeel & Harbour Lettings"},
                 {-1, days(4) - hours(1), "11:20 would be perfect, thank you."},
                 {0, days(3), "Confirmed for 11:20. Please ring the bell marked \"Vale\".\n\nImogen Vale"}},
       .labels = {"IMPORTANT", "Home"},
       .starred = true},
      {.subject = "Reserved: \"A Short History of Keys\"",
       .language = "en",
       .people = {library},
       .turns = {{0, hours(26),
                  "The book you reserved is waiting at the front desk until Friday, 18:00.\n\nTitle: A Short History "
                  "of Keys\nShelf: N 4\n\nNorthgate Library"}},
       .labels = {"CATEGORY_UPDATES"}},
      {.subject = "Lost umbrella (dark green, wooden handle)",
       .language = "en",
       .people = {tom},
       .turns = {{-1, days(33),
                  "Tom, did I leave my umbrella in your car after the concert? Dark green, wooden handle."},
                 {0, days(33) - hours(6), "It is on the back seat and has been dry company. I bring it on Thursday."}},
       .archived = true},
      {.subject = "Photos from the ridge walk",
       .language = "en",
       .people = {sam, june},
       .turns = {{0, days(47),
                  "The weather was better to us than we deserved. I put the pictures on the shared drive; number 31 "
                  "belongs on somebody's wall.\n\nSam"},
                 {1, days(46),
                  "31 it is. Could you send me a large copy? I know a good printer in the old town.\n\nJune"},
                 {-1, days(46) - hours(2), "Same for me, please. And next time we bring a second flask."}},
       .html = true,
       .archived = true},
      {.subject = "Question about the workshop on Tuesday",
       .language = "en",
       .people = {{"Noor Haddad", "noor.haddad@example.com"}},
       .turns = {{0, minutes(52),
                  "Hello {me},\n\nI signed up for the bookbinding workshop on Tuesday and wondered whether beginners "
                  "need their own tools. I own a bone folder, a ruler and a great deal of enthusiasm.\n\nBest wishes,\n"
                  "Noor"}},
       .html = true},
  };
}

}  // namespace latchkey::simulator::samples
