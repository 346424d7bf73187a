// The lesson within the report: Markdown becomes HTML that fits the page. What it teaches is held to the programs by
// tests/docs/vae_lesson_test.cpp.
#include <string>

#include "examples/ae_vs_vae/lesson.hpp"
#include "examples/ae_vs_vae/report.hpp"
#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/random_report.hpp"

TEST_CASE("a lesson's Markdown becomes HTML for the report", "[report]") {
    CHECK(report::lesson_of("# Title\n\n[other](other.md)\n\n## One\n\nA [link](../a.cpp) and `x < 1`.\n") ==
          "<h3>One</h3>\n<p>A link and <code>x &lt; 1</code>.</p>\n");
    CHECK(report::lesson_of("### Three\n\n- **a**\n- b\n") ==
          "<h4>Three</h4>\n<ul>\n<li><strong>a</strong></li>\n<li>b</li>\n</ul>\n");
    CHECK(report::lesson_of("---\n") == "<hr>\n");
    CHECK_THAT(report::lesson_of("| a | b |\n|---|---|\n| 1 | 2 |\n"), contains("<td>2</td>"));
    CHECK_THAT(report::lesson_of("```cpp\nif (a < b) c;\n```\n"), contains("if (a &lt; b) c;"));
    CHECK_THAT(report::lesson_of("<script>alert(1)</script> <b>bold</b>\n"), contains("&lt;script&gt;"));
}

TEST_CASE("a report ends with the lesson", "[report]") {
    const std::string html = report::to_html(random_report::make(1)), lesson = read_text(XTAPE_SOURCE_DIR "/docs/vae.md");
    std::size_t from = html.find("<section id=\"lesson\">"), headings = 0;
    REQUIRE(from != html.npos);
    CHECK(html.find("<section", from + 1) == html.npos);
    for (std::size_t at = lesson.find("\n## "); at != lesson.npos; at = lesson.find("\n## ", at + 1), ++headings) {
        const std::string heading = lesson.substr(at + 4, lesson.find('\n', at + 1) - at - 4);
        INFO(heading);
        from = html.find("<h3>" + heading + "</h3>", from);
        CHECK(from != html.npos);
    }
    CHECK(headings >= 7);
}
