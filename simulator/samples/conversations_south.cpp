#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {

std::vector<Conversation> RightToLeftAndIndicConversations() {
  const Person yael{"יעל ברק", "yael.barak@example.org"};
  const Person layla{"ليلى منصور", "layla.mansour@example.com"};
  const Person omar{"عمر الحداد", "omar.alhaddad@warsha.example"};
  const Person ananya{"अनन्या शर्मा", "ananya.sharma@example.net"};
  return {
      {.subject = "ארוחת ערב ביום חמישי",
       .language = "he",
       .people = {yael, {"דניאל שחר", "daniel.shahar@example.net"}},
       .turns = {{0, days(2) + hours(4),
                  "שלום {me},\n\nביום חמישי בשבע וחצי אנחנו מבשלים אצלנו. דניאל מביא את הגיטרה ואני מכינה את התבשיל "
                  "של סבתא. תבואו?\n\nיעל"},
                 {1, days(2) + hours(3), "אני מביא גם חלה וגם שירים חדשים."},
                 {-1, days(2), "בשמחה! אביא קינוח ואת המשחק עם הקוביות."},
                 {0, minutes(37), "מצוין. רק שתדעו: המעלית מקולקלת, אנחנו בקומה 4."}},
       .labels = {"Friends"},
       .html = true},
      {.subject = "תזכורת: החזרת ספרים (3 ספרים)",
       .language = "he",
       .people = {{"ספריית הנמל", "sifria@namal.example"}},
       .turns = {{0, days(14),
                  "שלום רב,\n\nשלושה ספרים בהשאלתך יש להחזיר עד 30.11. ניתן להאריך באתר או בטלפון.\n\nספריית הנמל"}},
       .labels = {"CATEGORY_UPDATES"},
       .charset = "iso-8859-8",
       .encoding = "base64"},
      {.subject = "موعد تسليم الباب الخشبي",
       .language = "ar",
       .people = {omar},
       .turns = {{0, days(4) + hours(6),
                  "السلام عليكم {me}،\n\nالباب الخشبي جاهز، ونقشنا عليه الزخرفة التي اخترتموها. يمكننا تركيبه يوم "
                  "الأربعاء الساعة 10 صباحاً، ويستغرق العمل ساعتين.\n\nمع التحية،\nعمر الحداد"},
                 {-1, days(4), "وعليكم السلام، الأربعاء مناسب جداً. سأكون في البيت طوال الصباح."},
                 {0, days(3) + hours(9), "على بركة الله. المفتاحان الجديدان معي، وسأحضر قفلاً احتياطياً."}},
       .labels = {"Home"},
       .html = true},
      {.subject = "وصفة الكنافة كما وعدتك",
       .language = "ar",
       .people = {layla},
       .turns = {{0, hours(13),
                  "مرحباً {me}،\n\nهذه وصفة أمي: نصف كيلو من عجينة الكنافة، 250 غراماً من الجبن، وكوب من القطر. السر في "
                  "النار الهادئة والصبر.\n\nأخبريني كيف كانت!\n\nليلى"}},
       .labels = {"Recipes"},
       .charset = "windows-1256",
       .starred = true},
      {.subject = "रविवार को पतंग उत्सव",
       .language = "hi",
       .people = {ananya, {"रोहन वर्मा", "rohan.verma@example.org"}},
       .turns = {{0, days(8),
                  "नमस्ते {me},\n\nरविवार को छत पर पतंग उत्सव है। माँझा मैं ला रही हूँ, रोहन चाय और समोसे का इंतज़ाम "
                  "करेगा। ग्यारह बजे तक आ जाना!\n\nअनन्या"},
                 {1, days(8) - hours(2), "समोसे पक्के, पर पतंग की पेंच में कोई दया नहीं होगी।"},
                 {-1, days(7), "मैं तैयार हूँ! नीली पतंग मेरी रहेगी।"},
                 {0, days(7) - hours(6), "ठीक है, नीली तुम्हारी। हवा का अनुमान भी अच्छा है।"}},
       .labels = {"Friends"},
       .html = true},
      {.subject = "संगीत कक्षा का नया समय",
       .language = "hi",
       .people = {{"सरगम संगीत विद्यालय", "sargam@sangeet.example"}},
       .turns = {{0, hours(29),
                  "प्रिय विद्यार्थी,\n\nअगले सप्ताह से बुधवार की कक्षा शाम 6 बजे होगी। कृपया अपना तानपुरा साथ लाएँ।\n\n"
                  "धन्यवाद,\nसरगम संगीत विद्यालय"}}},
  };
}

}  // namespace latchkey::simulator::samples
