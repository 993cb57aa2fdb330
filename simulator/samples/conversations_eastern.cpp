#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {

std::vector<Conversation> EasternEuropeanConversations() {
  const Person zofia{"Zofia Żurawska", "zofia.zurawska@example.org"};
  const Person anton{"Антон Берёзкин", "anton@kruzhok.example"};
  const Person vera{"Вера Соловьёва", "vera.solovyova@example.net"};
  const Person eleni{"Ελένη Παππά", "eleni.pappa@example.com"};
  const Person defne{"Defne Yıldırım", "defne.yildirim@example.org"};
  return {
      {.subject = "Wycieczka w góry – kto jedzie?",
       .language = "pl",
       .people = {zofia, {"Paweł Świątek", "pawel.swiatek@example.net"}},
       .turns = {{0, days(5),
                  "Cześć!\n\nW sobotę o szóstej rano ruszamy spod dworca. Trasa jest łatwa, ale długa; weźcie coś "
                  "ciepłego, bo na przełęczy już leży śnieg.\n\nPozdrawiam,\nZofia"},
                 {1, days(5) - hours(3), "Jadę i zabieram termos z herbatą. Czy pies też może?"},
                 {-1, days(4), "Ja też! Pies koniecznie, będzie nas pilnował."},
                 {0, days(3) + hours(4), "Pies ma pierwszeństwo w busie. Do zobaczenia w sobotę!"}},
       .labels = {"Friends"},
       .html = true},
      {.subject = "Zaproszenie na wernisaż",
       .language = "pl",
       .people = {{"Galeria Łąka", "galeria@laka.example"}},
       .turns = {{0, hours(18),
                  "Szanowni Państwo,\n\nserdecznie zapraszamy na wernisaż wystawy „Klucze i drzwi”. Piątek, godzina "
                  "19:00, ulica Źródlana 7. Wstęp wolny, będzie ciasto drożdżowe.\n\nGaleria Łąka"}},
       .charset = "iso-8859-2"},
      {.subject = "Кружок радиолюбителей: встреча в субботу",
       .language = "ru",
       .people = {anton, vera},
       .turns = {{0, days(7),
                  "Здравствуйте!\n\nВ субботу в три часа собираемся в мастерской. Будем чинить старый приёмник, "
                  "который Вера нашла на чердаке. Паяльники есть, припой тоже; приносите чай и терпение.\n\nАнтон"},
                 {1, days(7) - hours(5), "Я принесу ещё коробку ламп — вдруг какая-нибудь подойдёт."},
                 {-1, days(6), "Приду с пирогом и с тестером. Паяю плохо, зато держу ровно."},
                 {0, days(6) - hours(2), "Прекрасно, держать ровно — это половина дела."}},
       .charset = "koi8-r",
       .encoding = "8bit"},
      {.subject = "Книга, о которой я говорила",
       .language = "ru",
       .people = {vera},
       .turns = {{0, days(25),
                  "Здравствуй, {me}!\n\nПосылаю название, пока не забыла: «Маленькие замки большого города». Там есть "
                  "глава про дверные ручки — ты будешь смеяться вслух.\n\nТвоя Вера"},
                 {-1, days(24), "Спасибо! Уже заказал в библиотеке, обещали к пятнице."},
                 {0, days(22), "Потом обязательно расскажи, какая глава понравилась больше всех."}},
       .html = true},
      {.subject = "Билеты на концерт",
       .language = "ru",
       .people = {{"Касса филармонии", "kassa@filarmonia.example"}},
       .turns = {{0, minutes(205),
                  "Добрый день!\n\nВаш заказ № 40817 подтверждён: два билета, партер, ряд 6, места 11 и 12. Начало в "
                  "19:00, двери закрываются с третьим звонком.\n\nКасса филармонии"}},
       .labels = {"CATEGORY_UPDATES"},
       .charset = "windows-1251"},
      {.subject = "Το καΐκι είναι έτοιμο",
       .language = "el",
       .people = {eleni, {"Νίκος Βασιλείου", "nikos.vasileiou@example.org"}},
       .turns = {{0, days(10),
                  "Γεια σου {me},\n\nτο καΐκι βάφτηκε και μοιάζει καινούργιο. Την Κυριακή το ρίχνουμε στη θάλασσα και "
                  "μετά τρώμε όλοι μαζί στο λιμάνι. Θα έρθεις;\n\nΦιλιά,\nΕλένη"},
                 {-1, days(9), "Φυσικά και θα έρθω! Να φέρω κάτι;"},
                 {1, days(9) - hours(4), "Μόνο την όρεξή σου. Τα ψάρια τα έχω εγώ.\n\nΝίκος"}},
       .labels = {"Friends"}},
      {.subject = "Μαθήματα κεραμικής, νέο τμήμα",
       .language = "el",
       .people = {{"Εργαστήρι Πηλός", "info@pilos.example"}},
       .turns = {{0, days(2) + hours(1),
                  "Καλησπέρα σας,\n\nτο νέο τμήμα αρχίζει την Τρίτη στις έξι το απόγευμα. Φορέστε ρούχα που δεν "
                  "λυπάστε.\n\nΜε εκτίμηση,\nΕργαστήρι Πηλός"}},
       .charset = "iso-8859-7"},
      {.subject = "Kahvaltı pazar günü bizde",
       .language = "tr",
       .people = {defne},
       .turns = {{0, days(3) + hours(2),
                  "Merhaba {me},\n\npazar günü kahvaltı bizde! Annem gözleme açacak, ben de çayı demleyeceğim. Saat "
                  "onda gel, ama açken gel.\n\nSevgiler,\nDefne"},
                 {-1, days(3), "Teşekkürler! Simitleri ben getiririm, hem de sıcak sıcak."},
                 {0, hours(6), "Annem simitleri duyunca çok sevindi. Görüşmek üzere!"}},
       .html = true},
      {.subject = "Ödünç aldığın kitaplar",
       .language = "tr",
       .people = {{"Işık Şahaf", "isik@sahaf-isik.example"}},
       .turns = {{0, days(29),
                  "İyi günler,\n\nödünç aldığınız üç kitabın süresi doldu. Acele etmeyin ama özlendiklerini bilin.\n\n"
                  "Işık Şahaf"},
                 {-1, days(28), "Hemen getiriyorum, üstelik birini iki kez okudum."}},
       .charset = "iso-8859-9",
       .archived = true},
  };
}

}  // namespace latchkey::simulator::samples
