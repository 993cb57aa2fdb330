#include "simulator/samples/sample_set.hpp"

namespace latchkey::simulator::samples {

std::vector<Conversation> EastAsianConversations() {
  const Person haruka{"佐々木 はるか", "haruka.sasaki@example.org"};
  const Person kenji{"森田 健二", "kenji.morita@kagi-kobo.example"};
  const Person lin{"林晓雨", "lin.xiaoyu@example.com"};
  const Person chen{"陳怡君", "chen.yijun@example.net"};
  const Person minseo{"김민서", "minseo.kim@example.org"};
  const Person thao{"Nguyễn Thảo", "thao.nguyen@example.com"};
  return {
      {.subject = "鍵の修理が終わりました",
       .language = "ja",
       .people = {kenji},
       .turns = {{0, days(1) + hours(9),
                  "{me} "
                  "様\n\nいつもお世話になっております。鍵工房の森田です。\nお預かりしていた古い錠前の修理が完了いたしま"
                  "した。"
                  "合鍵も二本お作りしております。\n\nご都合のよい日にお越しください。\n\n森田"},
                 {-1, days(1) + hours(2), "ありがとうございます。金曜日の午後に伺います。"},
                 {0, minutes(128), "承知いたしました。お待ちしております。\n\n森田"}},
       .charset = "iso-2022-jp"},
      {.subject = "紅葉を見に行きませんか",
       .language = "ja",
       .people = {haruka, {"田中 光", "hikaru.tanaka@example.net"}},
       .turns = {{0, days(13),
                  "こんにちは！\n\n来週の土曜日、山のお寺へ紅葉を見に行きませんか。お弁当は私が作ります。\n\nはるか"},
                 {1, days(12), "行きます！カメラを持っていきますね。"},
                 {-1, days(12) - hours(3), "楽しみです。温かいお茶を用意します。"},
                 {0, days(11), "では朝八時に駅の改札で会いましょう。"}},
       .labels = {"Friends"},
       .html = true,
       .starred = true},
      {.subject = "お荷物のお届けについて",
       .language = "ja",
       .people = {{"つばめ運送", "info@tsubame-unso.example"}},
       .turns = {{0, hours(7),
                  "お客様\n\nお荷物（伝票番号 "
                  "4417-2209）は本日18時から20時の間にお届け予定です。ご不在の場合は宅配ボックスに"
                  "お入れします。\n\nつばめ運送"}},
       .labels = {"CATEGORY_UPDATES"},
       .charset = "shift_jis"},
      {.subject = "周末一起包饺子吧",
       .language = "zh",
       .people = {lin, {"王磊", "wang.lei@example.org"}},
       .turns = {{0, days(6) + hours(3),
                  "{me}"
                  "，你好！\n\n这个周末来我家包饺子吧。馅儿有两种：韭菜鸡蛋和白菜猪肉。王磊负责擀皮，你负责夸奖就行。\n"
                  "\n晓雨"},
                 {1, days(6), "擀皮没问题，上次我擀得比桌子还圆。"},
                 {-1, days(5) + hours(20), "我一定来，再带一瓶醋和一副扑克牌。"},
                 {0, days(5), "太好了，星期六下午三点见！"}},
       .labels = {"Friends"},
       .html = true},
      {.subject = "您预订的火车票信息",
       .language = "zh",
       .people = {{"飞燕旅行", "piao@feiyan.example"}},
       .turns = {{0, hours(22),
                  "尊敬的旅客：\n\n您预订的车票已出票。车次：K417，车厢：06，座位：12A。请携带有效证件提前三十分钟到站"
                  "。\n\n飞燕旅行"}},
       .labels = {"CATEGORY_UPDATES"},
       .charset = "gb18030"},
      {.subject = "讀書會：下個月的書單",
       .language = "zh-Hant",
       .people = {chen},
       .turns = {{0, days(19),
                  "{me} "
                  "你好：\n\n下個月我們想讀一本關於老街與門鎖的散文集，篇幅不長，很適合在茶館裡慢慢聊。你覺得如何？\n\n"
                  "怡君"},
                 {-1, days(18), "聽起來很棒，我來訂位子。"},
                 {0, days(18) - hours(7), "謝謝！靠窗的那一桌最好。"}},
       .charset = "big5"},
      {.subject = "토요일 등산 모임 안내",
       .language = "ko",
       .people = {minseo, {"박준호", "junho.park@example.net"}},
       .turns = {{0, days(4) + hours(2),
                  "안녕하세요 {me}님,\n\n이번 토요일 아침 7시에 북문 앞에서 모입니다. 정상까지 세 시간 정도 걸리고, "
                  "내려와서는 "
                  "칼국수를 먹을 예정이에요.\n\n민서 드림"},
                 {1, days(4), "저는 김밥을 준비하겠습니다!"},
                 {-1, days(3) + hours(12), "저도 갈게요. 따뜻한 커피를 가져가겠습니다."},
                 {0, minutes(76), "날씨가 맑다고 하네요. 장갑 꼭 챙기세요!"}},
       .labels = {"Friends"},
       .html = true},
      {.subject = "도서 대출 연장 안내",
       .language = "ko",
       .people = {{"은하 도서관", "desk@eunha-library.example"}},
       .turns = {{0, days(15), "안녕하세요.\n\n대출하신 도서 2권의 반납일이 일주일 연장되었습니다.\n\n은하 도서관"}},
       .labels = {"CATEGORY_UPDATES"},
       .charset = "euc-kr"},
      {.subject = "Phở cuối tuần nhé!",
       .language = "vi",
       .people = {thao, {"Trần Quốc Bảo", "bao.tran@example.org"}},
       .turns = {{0, days(2) + hours(9),
                  "Chào {me},\n\nChủ nhật này mình nấu phở, nước dùng ninh từ tối thứ bảy. Mời bạn đến lúc mười một "
                  "giờ, nhớ để bụng đói nhé!\n\nThảo"},
                 {1, days(2) + hours(5), "Mình mang rau thơm và chanh. Có cần thêm ghế không?"},
                 {-1, days(2) + hours(1), "Mình đến đúng giờ và mang theo một cái bánh flan."},
                 {0, hours(12), "Tuyệt vời! Ghế thì đủ, nhưng bát hơi ít, ai có bát to thì mang theo."}},
       .labels = {"Friends", "Recipes"},
       .html = true},
      {.subject = "Lịch học thư pháp tháng tới",
       .language = "vi",
       .people = {{"Lớp Thư Pháp Mực Tàu", "lienhe@muctau.example"}},
       .turns = {{0, days(24),
                  "Kính gửi học viên,\n\nLớp thư pháp tháng tới học vào tối thứ ba và thứ năm, từ 18 giờ 30. Giấy và "
                  "mực đã có sẵn tại lớp.\n\nTrân trọng"},
                 {-1, days(23), "Cảm ơn lớp, tôi xin đăng ký buổi tối thứ năm."}}},
  };
}

}  // namespace latchkey::simulator::samples
