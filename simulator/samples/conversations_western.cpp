#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {

std::vector<Conversation> WesternConversations() {
  const Person jana{"Jana Köhler", "jana.koehler@werkstatt-suedhof.example"};
  const Person rolf{"Rolf Größler", "rolf.groessler@example.org"};
  const Person amelie{"Amélie Béranger", "amelie.beranger@atelier-beranger.example"};
  const Person hugo{"Hugo Lefèvre", "hugo@example.net"};
  const Person lucia{"Lucía Ibáñez", "lucia.ibanez@example.com"};
  const Person marcos{"Marcos Peña", "marcos@cooperativa-norte.example"};
  const Person beatriz{"Beatriz Falcão", "beatriz.falcao@example.org"};
  return {
      {.subject = "Fahrrad ist fertig",
       .language = "de",
       .people = {jana},
       .turns = {{0, days(1) + hours(3),
                  "Guten Tag {me},\n\nIhr Rad steht abholbereit in der Werkstatt. Wir haben die Kette getauscht, die "
                  "Bremsen eingestellt und das Rücklicht wieder zum Leuchten überredet.\n\nGeöffnet ist bis 18 Uhr, "
                  "samstags bis 14 Uhr.\n\nMit freundlichen Grüßen\nJana Köhler"},
                 {-1, days(1), "Vielen Dank, ich komme am Samstag gegen elf vorbei. Kann ich mit Karte zahlen?"},
                 {0, hours(2), "Karte geht, bar freut uns mehr. Bis Samstag!\n\nJana Köhler"}},
       .html = true},
      {.subject = "Übergabe der Wohnungsschlüssel",
       .language = "de",
       .people = {rolf},
       .turns = {{0, days(6),
                  "Hallo {me},\n\nam Freitag um 16:30 könnte ich Ihnen die Schlüssel übergeben: zwei für die Haustür, "
                  "drei für die Wohnung und einen für den Keller, der sich allerdings nur öffnet, wenn man zugleich "
                  "drückt und flucht.\n\nViele Grüße\nRolf Größler"},
                 {-1, days(6) - hours(4),
                  "Freitag passt gut. Ich bringe das Protokoll mit und übe bis dahin das Fluchen."},
                 {0, days(5), "Ausgezeichnet, dann bis Freitag im Hausflur."}},
       .labels = {"Home"},
       .charset = "windows-1252",
       .encoding = "quoted-printable",
       .starred = true},
      {.subject = "Kuchenbasar: wer bäckt was?",
       .language = "de",
       .people = {{"Förderverein Südhof", "verein@suedhof.example"}, rolf},
       .turns = {{0, days(16),
                  "Liebe Leute,\n\nbisher haben wir: viermal Marmorkuchen, einmal Käsekuchen und einen Salat, der "
                  "darauf besteht, ein Kuchen zu sein. Es fehlt noch etwas mit Pflaumen.\n\nEuer Förderverein"},
                 {1, days(15), "Pflaumenblech von mir, mit Streuseln."},
                 {-1, days(15) - hours(2), "Dann backe ich etwas ohne Ei, damit alle etwas finden."}}},
      {.subject = "Votre commande de papier marbré",
       .language = "fr",
       .people = {amelie},
       .turns = {{0, days(3),
                  "Bonjour {me},\n\nvotre commande est prête : douze feuilles de papier marbré, bleu nuit et ocre. "
                  "J'ai glissé deux chutes dans le paquet, elles feront de jolis signets.\n\nBien à vous,\nAmélie "
                  "Béranger"},
                 {-1, days(2) + hours(6), "Merci infiniment ! Je passerai à l'atelier jeudi après-midi."},
                 {0, days(2),
                  "Parfait. L'atelier est ouvert jusqu'à 19 h ; sonnez deux fois, la porte est capricieuse."}},
       .html = true},
      {.subject = "Week-end à la mer ?",
       .language = "fr",
       .people = {hugo, {"Chloé Pirès", "chloe.pires@example.org"}},
       .turns = {{0, hours(11),
                  "Salut vous deux,\n\nla petite maison de ma tante est libre le dernier week-end du mois. Trois lits, "
                  "un poêle à bois et des huîtres à cinq minutes. Qui vient ?\n\nHugo"},
                 {1, hours(10), "Moi ! Je m'occupe du vin et des bottes.\n\nChloé"},
                 {-1, hours(8), "J'en suis, et j'apporte le fromage."},
                 {0, minutes(95), "Marché conclu. Départ vendredi à 17 h devant la gare.\n\nHugo"}},
       .labels = {"Friends"},
       .charset = "iso-8859-1",
       .encoding = "8bit"},
      {.subject = "Receta de las croquetas",
       .language = "es",
       .people = {lucia},
       .turns = {{-1, days(12), "Lucía, ¿me pasas la receta de las croquetas de tu abuela? Sueño con ellas."},
                 {0, days(11),
                  "¡Claro que sí!\n\nEl secreto está en la paciencia: la bechamel se remueve veinte minutos sin parar, "
                  "y luego duerme una noche en la nevera. Jamón, un poco de nuez moscada y nada de prisas.\n\nUn "
                  "abrazo,\nLucía"}},
       .labels = {"Recipes"},
       .html = true,
       .starred = true},
      {.subject = "Reunión de la cooperativa el miércoles",
       .language = "es",
       .people = {marcos, lucia},
       .turns =
           {{0, days(1) + hours(7),
             "Hola a todas y todos:\n\nel orden del día es corto: cuentas del trimestre, el tejado del almacén y "
             "qué hacer con las gallinas de Ramón. Empezamos a las siete en punto, o sea, a las siete y cuarto.\n\n"
             "Marcos"},
            {1, hours(15), "Propongo empezar por las gallinas, que es lo urgente."}}},
      {.subject = "Fotografias do festival",
       .language = "pt",
       .people = {beatriz},
       .turns = {{0, days(18),
                  "Olá {me},\n\njá revelei o filme do festival. Há uma fotografia tua a rir debaixo da chuva que vale "
                  "o rolo inteiro. Queres que a mande pelo correio?\n\nUm beijinho,\nBeatriz"},
                 {-1, days(17), "Quero, sim! E guarda o negativo, nunca se sabe."},
                 {0, days(16), "Já seguiu. Embrulhei-a em cartão para não se dobrar."}},
       .labels = {"Friends"}},
      {.subject = "Orçamento para as estantes",
       .language = "pt",
       .people = {{"Marcenaria São João", "orcamentos@marcenaria-saojoao.example"}},
       .turns =
           {{0, hours(31),
             "Bom dia,\n\nsegue o orçamento: três estantes em carvalho, com dois metros e dez de altura, entrega e "
             "montagem incluídas. O prazo é de cinco semanas.\n\nCom os melhores cumprimentos,\nJoão Cação"}},
       .labels = {"Home"}},
  };
}

}  // namespace latchkey::simulator::samples
