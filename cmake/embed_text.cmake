# A script: writes a header with the text of files as constants, so that a program carries them with it.
#   cmake -D OUTPUT=page.hpp -D NAMESPACE=page -D "FILES=a/page.html;a/style.css" -P embed_text.cmake
# makes page::page_html and page::style_css. Text only: a null byte would end it.
set(text "// Generated from the files named below; change those.\n#pragma once\n\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n")
foreach(file IN LISTS FILES)
    file(READ "${file}" content)
    if(content MATCHES "\\)xtape\"")
        message(FATAL_ERROR "${file}: cannot be embedded, because )xtape\" stands in it")
    endif()
    cmake_path(GET file FILENAME name)
    string(MAKE_C_IDENTIFIER "${name}" identifier)
    string(APPEND text "\n// ${name}\ninline constexpr std::string_view ${identifier} = R\"xtape(${content})xtape\";\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}\n}  // namespace ${NAMESPACE}\n")
