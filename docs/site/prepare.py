#!/usr/bin/env python3
"""What Doxygen reads in place of the repository: `prepare.py DIRECTORY` writes the pages, the headers and the examples there, as
the site shows them.

Headers stay as they are line for line, so that places in them are right. Declarations are shortened to what a reader needs, an
op's entry is made of its row in docs/ops.md, and headings get their anchors. It checks nothing; check.py does.
"""

import functools
import pathlib
import posixpath
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# --- What the table of ops says ---------------------------------------------------------------------------------------

COLUMNS = ("Value", "Gradient", "At kinks", "NaN")


@functools.cache
def op_rows():
    """The cells of each row of docs/ops.md after the op's name, as Markdown, by that name."""
    rows = {}
    for line in (ROOT / "docs/ops.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        name = re.fullmatch(r"`(\w+)`", cells[0]) if len(cells) == 1 + len(COLUMNS) else None
        if name:
            rows[name[1]] = cells[1:]
    return rows


def words_of(row):
    """A row as one line of a docstring. Cells are Markdown, and stay so."""
    parts = [f"<tr><th>{column}</th><td>{cell}</td></tr>" for column, cell in zip(COLUMNS, row) if cell]
    return '<table class="op">' + "".join(parts) + "</table>"


# --- Headers ----------------------------------------------------------------------------------------------------------

AXES = "Axes axes"
KEEP = "KeepDims keepdims = KeepDims::no"

# The functions that a macro declares, as a user calls them. {n} is the op's name.
MACROS = {
    "XTAPE_REDUCTION": f"template <Operand X> X {{n}}(X x, {AXES} = {{}}, {KEEP}); template <Operand X> X {{n}}(X x, {KEEP});",
    "XTAPE_OVER_AXES": f"template <Operand X> X {{n}}(X x, {AXES});",
    "XTAPE_WITH_DIAGONAL": "template <Operand X> X {n}(X x, std::ptrdiff_t k = 0);",
}

COMMENT = re.compile(r"\s*///(?!<)")
ELEMENTWISE = re.compile(r'inline constexpr auto (\w+) = elementwise<"\1">\($')
PUBLIC_MACRO = re.compile(r"#define XTAPE_VERSION")
PUBLIC_NAMESPACE = re.compile(r"namespace (?:XTAPE_API )?(?:autograd|nn) \{")
# A class that another header defines, an instantiation, and the constructor that is there for `Tape<float> tape({})`.
NO_DEFINITION = re.compile(r"(class|struct) \w+;|extern template |\s+explicit \w+\((autograd::)?detail::Defaults\)")
OVER_OPERANDS = re.compile(r"template <template <class> class X, class T(.*)> requires Operand<X<T>>(.*)$")


def group_of(path):
    """The name of the page on which a header's names stand."""
    return "file_" + re.sub(r"\W", "_", str(path.with_suffix("")))


def end_of_statement(lines, start):
    """The index of the line that ends a definition which begins at `start`: one that ends with a semicolon, outside of
    all brackets."""
    depth = 0
    for index in range(start, len(lines)):
        code = re.sub(r'"[^"]*"', "", lines[index].split("//")[0])
        depth += sum(code.count(each) for each in "([{") - sum(code.count(each) for each in ")]}")
        if depth == 0 and code.rstrip().endswith(";"):
            return index
    return start


class Header:
    """A header's lines, changed in place; their number stays, so that Doxygen names the places of the header itself."""

    def __init__(self, path, text):
        self.path = path
        self.lines = text.splitlines()
        self.group = group_of(path)
        self.rows = op_rows()
        self.listed = set(re.findall(r"\bOP\((\w+), \d\)", text))

    def prepared(self):
        self.join()
        self.shorten()
        self.write_elementwise_ops()
        self.write_structured_ops()
        self.write_macros()
        self.open_group()
        return "\n".join(self.lines) + "\n"

    def join(self):
        """What stands on two lines for the compiler's sake, or the layout's, is read as one; the other stays empty."""
        nested = None
        for index, line in enumerate(self.lines[:-1]):
            following = self.lines[index + 1]
            inner = re.fullmatch(r"namespace (\w+) \{", following)
            if inner and re.fullmatch(r"namespace XTAPE_API autograd \{", line):
                nested = inner[1]
                self.lines[index : index + 2] = [f"namespace autograd::{nested} {{", ""]
            elif nested and line == f"}}  // namespace {nested}" and following == "}  // namespace autograd":
                self.lines[index : index + 2] = [f"}}  // namespace autograd::{nested}", ""]
                nested = None
            elif line.startswith("template <template <class> class X") and following.startswith("requires "):
                self.lines[index : index + 2] = [f"{line} {following}", ""]

    def shorten(self):
        """X stands for Var<T> and Eager<T>; attributes, and what declares again, say nothing to a reader."""
        within = False
        for index, line in enumerate(self.lines):
            if COMMENT.match(line):
                # Doxygen's commands begin with @ here; a backslash is one.
                self.lines[index] = line.replace("\\", "\\\\")
            if line.lstrip().startswith("//"):
                continue
            line = re.sub(r"\[\[[^\]]*\]\]\s*", "", line)
            if NO_DEFINITION.match(line):
                if index > 0 and re.fullmatch(r"template <.*>", self.lines[index - 1]):
                    self.lines[index - 1] = ""
                line = ""
            found = OVER_OPERANDS.match(line)
            if found:
                line = f"template <Operand X{found[1]}>{found[2]}"
                within = True
            if within:
                line = line.replace("X<T>", "X")
                within = not re.search(r"[;{]\s*$", line)
            # A name of another namespace, taken into this one.
            self.lines[index] = re.sub(r"^using (?:\w+::)+([A-Z]\w*);$", r"using \1 = \g<0>", line).replace("= using", "=")

    def comment_before(self, index):
        """The lines of the docstring above a line."""
        first = index
        while first > 0 and COMMENT.match(self.lines[first - 1]):
            first -= 1
        return range(first, index)

    def write_elementwise_ops(self):
        """The objects stand in namespace ops, and the functions that users call are made of them by XTAPE_DEFINE_OP. An
        op's function is shown where its object is, with the names of its lambda's parameters."""
        index = 0
        while index < len(self.lines):
            found = ELEMENTWISE.match(self.lines[index])
            if not found or found[1] not in self.listed:
                index += 1
                continue
            name = found[1]
            end = end_of_statement(self.lines, index)
            above = self.comment_before(index)
            says = [COMMENT.sub("", self.lines[each]).strip() for each in above]
            if name in self.rows and says:
                says[-1] += f" @newline @newline {words_of(self.rows[name])}"
            elif name in self.rows:
                value, *others = self.rows[name]
                says = [f"@brief {value} @newline @newline {words_of(['', *others])}"]
            parameters = re.search(r"\[\]\(([^)]*)\)", self.lines[index + 1])[1].replace("auto ", "const auto& ")
            out_of_ops = f"}} namespace autograd {{ /** @addtogroup {self.group} @newline @{{ */"
            shown = f"auto {name}({parameters}); /** @}} */ }} namespace autograd::ops {{"
            lines = [out_of_ops, *(f"/// {each}" for each in says), shown] if says else [f"{out_of_ops} {shown}"]
            # A definition takes three lines at least, so there is room.
            self.lines[above.start : end + 1] = lines + [""] * (end + 1 - above.start - len(lines))
            index = end + 1

    def write_structured_ops(self):
        """The words of an op on whole arrays go behind its docstring. @newline is an alias of the Doxyfile."""
        done = set()
        for index, line in enumerate(self.lines):
            found = re.match(r"(?:XTAPE_\w+\((\w+)\)$|(?:template .*)?(?:[\w:]+(?:<.*>)?) (\w+)\()", line)
            name = found and (found[1] or found[2])
            start = index
            while start > 0 and (self.lines[start - 1].startswith("template") or not self.lines[start - 1]):
                start -= 1
            if name in self.rows and name not in self.listed and name not in done and self.comment_before(start):
                self.lines[start - 1] += f" @newline @newline {words_of(self.rows[name])}"
                done.add(name)

    def write_macros(self):
        for index, line in enumerate(self.lines):
            call = re.match(r"(XTAPE_\w+)\((.*)\)$", line)
            if not call:
                continue
            if call[1] in MACROS:
                self.lines[index] = MACROS[call[1]].replace("{n}", call[2])
            elif call[1] == "XTAPE_OPERATOR":
                symbol, name = call[2].split(", ")
                self.lines[index] = f"/** {name}(a, b). */ auto operator{symbol}(const auto& a, const auto& b);"
            else:  # a list of ops, of which what it makes is shown above
                self.lines[index] = ""

    def open_group(self):
        """The comment at the head of the file is what its page begins with, and the names of namespaces autograd and nn
        are on that page."""
        head = 0
        while head < len(self.lines) and self.lines[head].startswith("//"):
            head += 1
        is_for_users = self.path.name in ("autograd.hpp", "check.hpp", "nn.hpp")
        has_names = any(PUBLIC_NAMESPACE.fullmatch(line) or PUBLIC_MACRO.match(line) for line in self.lines)
        if head == 0 or not (is_for_users or has_names):
            return
        says = [re.sub(r"^// ?", "", line).replace("*/", "* /") for line in self.lines[:head]]
        # One line more than the comment has: `#pragma once` gives its own.
        self.lines[: head + 1] = [f"/** @defgroup {self.group} {self.path}"] + says
        self.lines[head] += " @ingroup reference */"
        for index, line in enumerate(self.lines):
            if PUBLIC_NAMESPACE.fullmatch(line):
                self.lines[index] += f" /** @addtogroup {self.group} @newline @{{ */"
            elif re.fullmatch(r"\}  // namespace (autograd|nn)", line):
                self.lines[index] = "/** @} */ " + line
            elif PUBLIC_MACRO.match(line) and self.comment_before(index):
                self.lines[index - 1] += f" @newline @ingroup {self.group}"


# --- Pages ------------------------------------------------------------------------------------------------------------


def slug(heading):
    """GitHub's anchor of a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def page_of(path):
    """The name of the page that is made of a file of the repository, or nothing."""
    if path.suffix == ".md":
        return "index" if path.name == "README.md" else path.stem.replace(".", "-")  # vae.ko.md: Doxygen takes no dot
    if path.parts[:1] == ("examples",) and path.suffix in (".cpp", ".hpp"):
        return "example_" + re.sub(r"\W", "_", str(path.with_suffix("").relative_to("examples")))
    return None


def anchor_of(path, heading):
    """Anchors are of the whole site in Doxygen, so the page's name goes before a heading's."""
    return f"{page_of(path)}-{slug(heading)}"


def outside_of_code(text, change):
    """The text with change(part) in place of all that is not `code`."""
    parts = re.split(r"(``.*?``|`[^`]*`)", text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


def file_of(page, link):
    """The file of the repository that a link of a page names: itself, if none."""
    return pathlib.Path(posixpath.normpath(page.parent / link)) if link else page


def target_of(page, target):
    """What a link of a page leads to, on the site."""
    if re.match(r"\w+:", target):
        return target
    path, _, anchor = target.partition("#")
    path = file_of(page, path)
    name = page_of(path)
    if name is None:
        return path.name if path.suffix in (".png", ".svg") else target
    return f"{name}.html" + (f"#{name}-{anchor}" if anchor else "")


def prepared_page(path, text):
    text = re.sub(r"\A<!--.*?-->\n", "", text)  # a page's title must be its first line
    lines = []
    in_code = False
    for line in text.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            line = re.sub(r"^```(\w+)$", r"```{.\1}", line) if not in_code or line != "```" else line
        elif not in_code and not line.startswith("    "):
            heading = re.match(r"(#+) (.*)$", line)
            if heading:
                name = page_of(path) if heading[1] == "#" else anchor_of(path, heading[2])
                line = f"{heading[1]} {heading[2]}" + ("" if name == "index" else f" {{#{name}}}")
                if heading[1] == "#" and name != "index":
                    line += "\n[TOC]"
            line = outside_of_code(
                line,
                lambda part: re.sub(
                    r"\]\(([^)\s]+)\)", lambda link: f"]({target_of(path, link[1])})", part.replace("%", r"\%")
                ),
            )
        lines.append(line)
    return "\n".join(lines) + "\n"


def prepared_example(path, text):
    """A page with the whole file."""
    return f"# {path} {{#{page_of(path)}}}\n\n```{{.cpp}}\n{text}```\n"


def prepared(path, text):
    if path.parts[0] == "examples":
        return prepared_example(path, text)
    if path.suffix == ".hpp":
        return Header(path, text).prepared()
    if path.suffix == ".md":
        return prepared_page(path, text)
    return text


# Of the repository, what is a part of the site. The rest of docs/site/ goes along: Doxygen runs where it is written to.
SOURCES = (
    "*.md", "docs/*.md", "autograd/**/*.hpp", "nn/**/*.hpp", "examples/*.[ch]pp", "examples/ops/*.cpp",
    "examples/ae_vs_vae/models.hpp", "examples/ae_vs_vae/scores.cpp",
    "docs/site/*.dox", "docs/site/*.html", "docs/site/*.css", "docs/site/*.js", "docs/site/layout.xml", "docs/site/Doxyfile",
)  # fmt: skip


def main():
    directory = pathlib.Path(sys.argv[1])
    for source in (source for pattern in SOURCES for source in sorted(ROOT.glob(pattern))):
        path = source.relative_to(ROOT)
        target = directory / (path.with_suffix(".md") if path.parts[0] == "examples" else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(prepared(path, source.read_text(encoding="utf-8")), encoding="utf-8")
    for picture in ROOT.glob("docs/*.png"):
        shutil.copy(picture, directory / "docs")


if __name__ == "__main__":
    main()
