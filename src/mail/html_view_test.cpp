#include "mail/html_view.hpp"

#include <chrono>
#include <regex>
#include <set>

#include <gmock/gmock.h>

#include "base/encoding.hpp"
#include "mail/css_filter.hpp"

namespace latchkey::mail {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Body(const HtmlView& view) {
  const std::size_t begin = view.document.find("<body>") + 6;
  return view.document.substr(begin, view.document.rfind("</body>") - begin);
}
std::string Shown(std::string_view html, const HtmlViewOptions& options = {}) {
  return Body(RenderHtmlBody(html, options));
}

/// Every way the collected vectors name a remote host.
constexpr std::string_view kHost = "evil.example";

/// Each would make some browser fetch something, run something or leave the frame when shown as it is.
constexpr std::string_view kVectors[] = {
    R"x(<img src="http://evil.example/1">)x",
    R"x(<img src=//evil.example/2>)x",
    R"x(<img srcset="http://evil.example/3 1x">)x",
    R"x(<img src='x' srcset='//evil.example/4 2x, //evil.example/5 3x'>)x",
    R"x(<img lowsrc="http://evil.example/6">)x",
    R"x(<img dynsrc="http://evil.example/7">)x",
    R"x(<picture><source srcset="http://evil.example/8"><img></picture>)x",
    R"x(<link rel=stylesheet href="http://evil.example/9">)x",
    R"x(<link rel=preconnect href="http://evil.example">)x",
    R"x(<link rel=dns-prefetch href="//evil.example">)x",
    R"x(<link rel=prefetch href="http://evil.example/a"><link rel=preload as=image href="http://evil.example/b">)x",
    R"x(<link rel=icon href="http://evil.example/favicon.ico">)x",
    R"x(<meta http-equiv=refresh content="0;url=http://evil.example/">)x",
    R"x(<base href="http://evil.example/"><img src="x.png"><a href="y">z</a>)x",
    R"x(<script src="http://evil.example/x.js"></script>)x",
    R"x(<script>fetch('http://evil.example')</script>)x",
    R"x(<iframe src="http://evil.example/"></iframe>)x",
    R"x(<iframe srcdoc="<img src=http://evil.example/>"></iframe>)x",
    R"x(<frameset><frame src="http://evil.example/"></frameset>)x",
    R"x(<object data="http://evil.example/x.swf"></object>)x",
    R"x(<embed src="http://evil.example/x">)x",
    R"x(<applet code="x" codebase="http://evil.example/"></applet>)x",
    R"x(<video src="http://evil.example/v" poster="http://evil.example/p"></video>)x",
    R"x(<audio src="http://evil.example/a" autoplay></audio>)x",
    R"x(<video><source src="http://evil.example/s"><track src="http://evil.example/t"></video>)x",
    R"x(<input type=image src="http://evil.example/i">)x",
    R"x(<form action="http://evil.example/f"><input name=a><button formaction="http://evil.example/g">x</button></form>)x",
    R"x(<body background="http://evil.example/bg">)x",
    R"x(<table background="http://evil.example/t"><tr><td background="//evil.example/d">x</td></tr></table>)x",
    R"x(<div style="background:url(http://evil.example/c1)">x</div>)x",
    R"x(<div style="background-image:u/**/rl('http://evil.example/c2')">x</div>)x",
    R"x(<div style="background:\75 rl(http://evil.example/c3)">x</div>)x",
    R"x(<div style="background:URL (http://evil.example/c4)">x</div>)x",
    R"x(<div style="list-style-image:image-set('http://evil.example/c5' 1x)">x</div>)x",
    R"x(<div style="width:expression(fetch('http://evil.example/'))">x</div>)x",
    R"x(<div style="--x:url(//evil.example/);background:var(--x)">x</div>)x",
    R"x(<style>@import "http://evil.example/i.css";</style>)x",
    R"x(<style>@import url(//evil.example/i2.css);p{color:red}</style>)x",
    R"x(<style>@font-face{font-family:x;src:url(http://evil.example/f)}p{font-family:x}</style>)x",
    R"x(<style>p{background:url(http://evil.example/p)}</style><p>x)x",
    R"x(<style>p::before{content:url(//evil.example/q)}</style><p>x)x",
    R"x(<style>@im\port "//evil.example/r";</style>)x",
    R"x(<style></style><img src=x onerror="fetch('//evil.example')"></style>)x",
    R"x(<svg><image href="http://evil.example/svg1"/></svg>)x",
    R"x(<svg xmlns:xlink="x"><use xlink:href="http://evil.example/svg2#a"/></svg>)x",
    R"x(<svg><style>@import "http://evil.example/s.css"</style></svg>)x",
    R"x(<svg><foreignObject><img src="http://evil.example/fo"></foreignObject></svg>)x",
    R"x(<math><mtext><table><mglyph><style><!--</style><img title="--><img src=http://evil.example/m>">)x",
    R"x(<math href="http://evil.example/">x</math>)x",
    R"x(<noscript><p title="</noscript><img src=http://evil.example/n>"></noscript>)x",
    R"x(<template><img src="http://evil.example/t"></template>)x",
    R"x(<textarea><img src="</textarea><img src=http://evil.example/ta>"></textarea>)x",
    R"x(<title><a title="</title><img src=http://evil.example/ti>"></title>)x",
    R"x(<xmp><p title="</xmp><img src=http://evil.example/xmp>"></xmp>)x",
    R"x(<!--><img src="http://evil.example/cm1">-->)x",
    R"x(<!-- --!><img src="http://evil.example/cm2"> -->)x",
    R"x(<![CDATA[><img src="http://evil.example/cd">]]>)x",
    R"x(<?xml-stylesheet href="http://evil.example/x.xsl"?>)x",
    R"x(<a href="x" ping="http://evil.example/ping">p</a>)x",
    R"x(<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='http://evil.example/'/></svg>">)x",
    R"x(<div/onclick="fetch('//evil.example')"/style=background:url(//evil.example/sl)>x</div>)x",
    R"x(<img """><script>fetch("//evil.example")</script>">)x",
    R"x(<portal src="http://evil.example/"></portal>)x",
    R"x(<html manifest="http://evil.example/m"><head profile="http://evil.example/p"></head></html>)x",
    R"x(<blockquote cite="http://evil.example/cite"><q cite="//evil.example/q">x</q></blockquote>)x",
    R"x(<isindex action="http://evil.example/" type=image src="http://evil.example/isx">)x",
    R"x(<bgsound src="http://evil.example/snd"><layer src="http://evil.example/lay"></layer>)x",
    R"x(<td style='background:"</style>";background-image:url("http://evil.example/q2")'>x)x",
};

TEST(HtmlView, NothingInARenderedMessageLoadsAnything) {
  static_assert(std::size(kVectors) >= 45);
  for (const std::string_view vector : kVectors) {
    const std::string shown = Shown(vector);
    // Tags are ours alone: whatever named the host was dropped, or is text without a tag around it.
    const std::regex tag(R"x(<([a-z0-9]+)((?:\s+[a-z]+="[^"<>]*")*)>)x");
    std::string rest = shown;
    for (std::sregex_iterator it(shown.begin(), shown.end(), tag), end; it != end; ++it) {
      const std::string attributes = (*it)[2];
      EXPECT_EQ(attributes.find(kHost), std::string::npos) << vector << "\n" << shown;
      EXPECT_EQ(attributes.find(" on"), std::string::npos) << vector << "\n" << shown;
      const std::string name = (*it)[1];
      static const std::set<std::string> kLoading = {"script", "link", "meta",   "base",  "iframe", "frame",   "object",
                                                     "embed",  "svg",  "math",   "video", "audio",  "input",   "form",
                                                     "source", "body", "portal", "image", "title",  "noscript"};
      EXPECT_FALSE(kLoading.contains(name)) << vector << "\n" << shown;
    }
    // No '<' stands outside the tags we wrote.
    rest = std::regex_replace(rest, tag, "");
    rest = std::regex_replace(rest, std::regex("</[a-z0-9]+>"), "");
    EXPECT_EQ(rest.find('<'), std::string::npos) << vector << "\n" << shown;
    const std::size_t style = shown.find("<style>");
    if (style != std::string::npos) {
      const std::string css = shown.substr(style, shown.find("</style>") - style);
      EXPECT_EQ(css.find(kHost), std::string::npos) << vector << "\n" << shown;
    }
  }
}

TEST(HtmlView, LinksOpenApartAndScriptAddressesAreNoLinks) {
  EXPECT_EQ(Shown(R"x(<a href="https://a.example/?x=1&amp;y=2">go</a>)x"),
            R"x(<a href="https://a.example/?x=1&amp;y=2" target="_blank" rel="noopener noreferrer">go</a>)x");
  EXPECT_EQ(Shown("<a href=\"java\tscript:alert(1)\">go</a>"), "<a>go</a>");
  EXPECT_EQ(Shown(R"x(<a href="&#106;avascript:alert(1)">go</a>)x"), "<a>go</a>");
  EXPECT_EQ(Shown(R"x(<a href="data:text/html,x">go</a>)x"), "<a>go</a>");
  EXPECT_EQ(Shown(R"x(<a href="mailto:ann@example.com">go</a>)x"),
            R"x(<a href="mailto:ann@example.com" target="_blank" rel="noopener noreferrer">go</a>)x");
}

TEST(HtmlView, RemoteImagesAreCountedAndComeThroughTheProxyWhenAskedFor) {
  const std::string html = R"x(<img src="http://pics.example/a.png?x=1&y" alt="A" width=10><img src="cid:part1@x">)x";
  HtmlViewOptions options;
  options.inline_images.emplace_back("part1@x", "/api/v1/messages/m/attachments/1");
  HtmlView view = RenderHtmlBody(html, options);
  EXPECT_EQ(view.blocked_images, 1U);
  EXPECT_EQ(Body(view), R"x(<img alt="A" width="10"><img src="/api/v1/messages/m/attachments/1">)x");
  options.image_proxy = [](const std::string& url) { return "/through/" + PercentEncode(url); };
  view = RenderHtmlBody(html, options);
  EXPECT_EQ(view.blocked_images, 0U);
  EXPECT_THAT(Body(view), HasSubstr(R"x(src="/through/http%3A%2F%2Fpics.example%2Fa.png%3Fx%3D1%26y")x"));
}

TEST(HtmlView, AnImageThatIsNotProxiedStaysOutAndSoDoWhatIsBeyondTheLimit) {
  const std::string html =
      R"x(<img src="//a.example/1"><img src="http://b.example/2"><img src="http://c.example/3"><img src="http://d.example/4">)x";
  HtmlViewOptions options;
  options.max_remote_images = 2;
  options.image_proxy = [](const std::string& url) { return url.contains("b.example") ? "" : "/through/" + url; };
  const HtmlView view = RenderHtmlBody(html, options);
  EXPECT_EQ(view.blocked_images, 2U);
  EXPECT_EQ(Body(view),
            R"x(<img src="/through/https://a.example/1"><img><img src="/through/http://c.example/3"><img>)x");
}

TEST(HtmlView, SmallRasterDataImagesStay) {
  EXPECT_EQ(Shown(R"x(<img src="data:image/png;base64,AAAA">)x"), R"x(<img src="data:image/png;base64,AAAA">)x");
  EXPECT_EQ(Shown("<img src=\"data:image/png;base64," + std::string(300 << 10, 'A') + "\">"), "<img>");
}

TEST(HtmlView, KeepsTheLookOfOrdinaryMail) {
  EXPECT_EQ(Shown("<p>Hi <b>Ann</b>,<p>see <i>this</i> &amp; that &lt;3"),
            "<p>Hi <b>Ann</b>,</p><p>see <i>this</i> &amp; that &lt;3</p>");
  EXPECT_EQ(Shown(R"x(<td style="color:red;background:url(x);font-size:12px" bgcolor=#fff>x</td>)x"),
            R"x(<td style="color:red;;font-size:12px" bgcolor="#fff">x</td>)x");
  EXPECT_THAT(Shown("<style>p{color:red} @media (max-width:600px){p{color:blue}}</style>"),
              HasSubstr("@media (max-width:600px){p{color:blue}}"));
  EXPECT_EQ(Shown("Gr&uuml;&szlig;e"),
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(Shown("a<br/>b<hr>c"), "a<br>b<hr>c");
}

TEST(HtmlView, DepthIsBoundedAndTagsAreBalanced) {
  std::string deep;
  for (int i = 0; i < 50000; ++i) deep += "<div><font>";
  const std::string shown = Shown(deep + "end");
  EXPECT_LT(shown.size(), 10000U);
  EXPECT_THAT(shown, HasSubstr("end"));
  std::string piled;
  for (int i = 0; i < 20000; ++i) piled += "<p>a<td>";
  EXPECT_LT(Shown(piled).size(), piled.size() * 4);
}

TEST(HtmlView, HostileShapesEndInLinearTime) {
  // Each would take minutes with one search to the end per byte.
  for (const std::string_view piece :
       {"<", "<!--", "<a ", "<a x=\"", "</", "&", "<style>", "<svg>", "<script", "<!", "<svg ", "--"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += piece;
    EXPECT_LT(Shown(text).size(), 12U << 20) << piece;
  }
}

TEST(HtmlView, CutsWhatIsTooLongAndSaysSo) {
  HtmlViewOptions options;
  options.max_input_bytes = 10;
  EXPECT_TRUE(RenderHtmlBody("0123456789abc", options).truncated);
  EXPECT_TRUE(RenderTextBody("0123456789abc", options).truncated);
}

TEST(TextView, MarksQuotesAndLinksAddresses) {
  const std::string shown = Body(RenderTextBody("Hi <x>,\nsee https://a.example/b_(c). ok\n> old\n>> older\nnew"));
  EXPECT_THAT(shown, HasSubstr("Hi &lt;x&gt;,\nsee <a href=\"https://a.example/b_(c\" target=\"_blank\""));
  EXPECT_THAT(
      shown,
      HasSubstr("<blockquote class=\"lk-quote\">old<blockquote class=\"lk-quote\">older</blockquote></blockquote>new"));
}

TEST(CssFilter, KeepsPlainRulesOnly) {
  EXPECT_EQ(FilterStyleAttribute("color:red;background:url(x)"), "color:red;");
  EXPECT_EQ(FilterStyleSheet("a{color:red}/* x */b{x:expression(1)}"), "a{color:red} b{}");
  EXPECT_THAT(FilterStyleSheet("a</style><script>x{}"), Not(HasSubstr("<")));
}

}  // namespace
}  // namespace latchkey::mail
