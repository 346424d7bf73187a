// md4c's HTML, changed where the page differs from a document of its own.
#include "lesson.hpp"

#include <md4c-html.h>

#include <autograd/autograd.hpp>
#include <regex>

namespace report {

std::string lesson_of(std::string_view markdown) {
    std::string html;
    const auto append = [](const MD_CHAR* text, MD_SIZE size, void* to) { static_cast<std::string*>(to)->append(text, size); };
    const int failed =
        md_html(markdown.data(), static_cast<MD_SIZE>(markdown.size()), append, &html, MD_FLAG_TABLES | MD_FLAG_NOHTML, 0);
    if (failed != 0) throw autograd::Error("report: the lesson is no Markdown that md4c reads");
    html = std::regex_replace(html, std::regex("<p><a href=[^>]*>[^<]*</a></p>\n|<h1>[^<]*</h1>\n"), "");
    html = std::regex_replace(html, std::regex("<a href=[^>]*>|</a>"), "");
    for (const std::string tag : {"<h", "</h"}) {  // in text a '<' is escaped
        for (std::size_t at = html.find(tag); at != html.npos; at = html.find(tag, at + 1)) {
            char& level = html[at + tag.size()];
            if (level >= '1' && level <= '5') ++level;  // else it is a rule, <hr>
        }
    }
    return html;
}

}  // namespace report
