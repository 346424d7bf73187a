// The lesson that ends the report: docs/vae.md as HTML, by md4c. What it teaches stands there.
#pragma once

#include <string>
#include <string_view>

namespace report {

/// Markdown as HTML for the page: headings one level down, because the page has one of its own; without the headings of the
/// first level, without links, whose targets are files of the repository, and without paragraphs that are nothing else.
/// HTML in it is text.
std::string lesson_of(std::string_view markdown);

}  // namespace report
