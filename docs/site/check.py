#!/usr/bin/env python3
"""Whether the site is whole: `check.py XML SITE WARNINGS` reads Doxygen's XML, its pages and its warnings, prints what is
missing as FILE:LINE: NAME: ..., and fails if there is anything. It makes nothing.

What is a public name: what stands in namespace autograd or nn, or in a class there, in a header that autograd/autograd.hpp,
autograd/check.hpp, autograd/catch2.hpp or nn/nn.hpp includes, itself or by others. Not what stands in the namespaces detail,
ops, kernels and libmvec, nor what is private or protected. Of macros, those that begin with XTAPE_VERSION.

What needs a docstring: each of them, in words beside its @throws. But

- of several functions of one name in one scope, one is enough: the others are other ways to call it;
- a constructor, a destructor, a deduction guide, and what is defaulted or deleted needs none;
- nor do operators that are named by their symbol and mean what it means: assignment, arithmetic, comparison, streaming,
  iterators' *, ++ and ->, and begin() and end(); operator(), operator[] and conversions do;
- nor does a member type that the standard library asks for (value_type), nor what overrides a function that has one;
- a data member is documented as well where the docstring of its class names it;
- an enumeration's docstring is its values' too, and that of a class its operator()'s: calling it is what it is for;
- what nn::members() makes, the listing `members` of a layer, is documented there.

What @throws must name: as its first word an exception of the library, a class which derives from std::exception, or one of
the standard library's, with std:: before it. All other words that end in Error are held to that too.

What a link must lead to: within the site, a page and, after #, an anchor that are there. Others are not looked at.
"""

import html.parser
import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import prepare  # noqa: E402: it lies beside this file

ROOT = prepare.ROOT
ENTRY_HEADERS = ("autograd/autograd.hpp", "autograd/check.hpp", "autograd/catch2.hpp", "nn/nn.hpp")
HIDDEN_NAMESPACES = {"detail", "ops", "kernels", "libmvec"}
SYMBOLS = re.compile(r"operator\s*(=|[-+*/%]=?|[<>!=]=|<=>|[<>]|<<|>>|\+\+|--|->)")
STANDARD_TYPES = {
    "value_type", "size_type", "difference_type", "pointer", "const_pointer", "reference", "const_reference", "rebind",
    "other", "iterator", "const_iterator", "iterator_category",
}  # fmt: skip
STANDARD_EXCEPTIONS = {
    "std::" + name
    for name in (
        "exception", "bad_alloc", "bad_array_new_length", "bad_cast", "bad_function_call", "bad_optional_access",
        "bad_variant_access", "logic_error", "invalid_argument", "domain_error", "length_error", "out_of_range",
        "runtime_error", "range_error", "overflow_error", "underflow_error", "system_error", "filesystem::filesystem_error",
    )
}  # fmt: skip


def text_of(element):
    return "".join(element.itertext()) if element is not None else ""


# --- Names and docstrings ---------------------------------------------------------------------------------------------


def without_arguments(name):
    """A specialisation has the name of what it specialises."""
    return name if name.startswith("operator") else re.sub(r"\s*<.*", "", name)


def reached_headers():
    """The headers of the repository that users' headers include, themselves or by others."""
    reached, waiting = set(), list(ENTRY_HEADERS)
    while waiting:
        path = waiting.pop()
        if path in reached or not (ROOT / path).is_file():
            continue
        reached.add(path)
        waiting += re.findall(r'^#include ["<]([^">]+)[">]', (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    return reached


class Definition:
    """A class or a member, as Doxygen's XML has it."""

    def __init__(self, element, scope, name):
        self.element = element
        self.scope = scope
        self.name = name
        self.kind = element.get("kind")
        location = element.find("location")
        self.file = location.get("file", "") if location is not None else ""
        self.line = int(location.get("line", "0")) if location is not None else 0
        self.words = self._words()

    def _words(self):
        """What the docstring says beside its lists of exceptions and parameters."""
        words = ""
        for kind in ("briefdescription", "detaileddescription"):
            description = self.element.find(kind)
            if description is not None:
                for paragraph in description.iter("para"):
                    for each in paragraph.findall("parameterlist"):
                        paragraph.remove(each)
                words += " ".join("".join(description.itertext()).split()) + " "
        return words.strip()

    @property
    def qualified(self):
        return f"{self.scope}::{self.name}" if self.scope else self.name


def definitions_in(xml):
    """Each class and member once, public ones alone."""
    found = {}
    for path in sorted(xml.glob("*.xml")):
        if path.name == "index.xml":
            continue
        compound = ElementTree.parse(path).getroot().find("compounddef")
        if compound is None:
            continue
        kind, name = compound.get("kind"), text_of(compound.find("compoundname"))
        if compound.get("prot", "public") != "public":
            continue
        if kind in ("class", "struct", "union", "concept"):
            scope, _, last = name.rpartition("::")
            found[compound.get("id")] = Definition(compound, scope, without_arguments(last))
        elif kind not in ("namespace", "group", "file"):
            continue
        for member in compound.iter("memberdef"):
            if member.get("prot") == "public":
                qualified = text_of(member.find("qualifiedname")) or text_of(member.find("name"))
                last = text_of(member.find("name"))
                found[member.get("id")] = Definition(member, qualified[: -len(last) - 2], without_arguments(last))
    return list(found.values())


def is_public(definition, headers):
    if definition.file not in headers:
        return False
    if definition.kind == "define":
        return definition.name.startswith("XTAPE_VERSION")
    namespaces = definition.scope.split("::")
    return namespaces[0] in ("autograd", "nn") and not HIDDEN_NAMESPACES.intersection(namespaces)


def needs_none(definition):
    """By its name and kind, whatever else is there."""
    element, name = definition.element, definition.name
    owner = re.sub(r"<.*", "", definition.scope.rpartition("::")[2])
    if definition.kind == "friend":
        return not re.search(r"operator\s*[(\[]", name)
    if definition.kind == "typedef":
        return name in STANDARD_TYPES
    if definition.kind == "struct":
        return name in STANDARD_TYPES
    if definition.kind == "variable":
        return name == "members" and bool(owner)
    if definition.kind != "function":
        return False
    arguments = text_of(element.find("argsstring"))
    return (
        name in (owner, "begin", "end")
        or name.startswith("~")
        or bool(re.search(r"=\s*(default|delete)$", arguments))
        or bool(SYMBOLS.fullmatch(name))
        or element.find("reimplements") is not None
    )


def missing_docstrings(definitions, headers):
    public = [each for each in definitions if is_public(each, headers)]
    class_words = {each.qualified: each.words for each in public if each.kind in ("class", "struct")}
    documented = {each.qualified for each in public if each.words}
    for each in public:
        if each.qualified in documented or needs_none(each):
            continue
        if each.name == "operator()" and class_words.get(each.scope):
            continue
        if each.kind == "function" and each.qualified in class_words:  # a deduction guide
            continue
        if each.kind == "variable" and len(each.name) > 1 and re.search(rf"\b{re.escape(each.name)}\b", class_words.get(each.scope, "")):
            continue
        yield each.file, each.line, f"{each.qualified}: a public name without a docstring"


# --- @throws ----------------------------------------------------------------------------------------------------------


def exceptions_in(headers):
    """The exceptions that headers define: classes that derive from std::exception, or from one which does."""
    bases = {}
    for path in headers:
        text = (ROOT / path).read_text(encoding="utf-8")
        for name, base in re.findall(r"^(?:class|struct) (?:XTAPE_API )?(\w+)(?: final)? : (?:public )?([\w:]+)", text, re.MULTILINE):
            bases[name] = base
    known = set(STANDARD_EXCEPTIONS)
    while True:
        more = {name for name, base in bases.items() if base in known or base.rpartition("::")[2] in known} - known
        if not more:
            return known
        known |= more


def wrong_throws(headers):
    known = exceptions_in(headers)
    for path in sorted(headers):
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if not re.search(r"///", line):
                continue
            says = line[line.index("///") :]
            for command, named in re.findall(r"[@\\](throws?|exception)\b[ \t]*([^\s,.;]*)", says):
                if named not in known and named.rpartition("::")[2] not in known:
                    yield path, number, f"@{command} {named}: names no exception type"
            for named in re.findall(r"(?<![\w:])([A-Z]\w*Error)\b", says):
                if named not in known:
                    yield path, number, f"{named}: no such exception"


# --- Links ------------------------------------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """The anchors of a page and its links, with the lines where they stand."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append((value, self.getpos()[0]))


def links_of_search(site):
    """What the search finds, and the line of its index where that stands."""
    for number, line in enumerate((site / "search_index.js").read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("["):
            yield json.loads(line.rstrip(","))[2], number


def dead_links_of_pages(site):
    """Of the pages as a browser gets them, and of the search. Places are theirs."""
    pages = {path.name: Page(path) for path in site.glob("*.html")}
    links = {name: page.links for name, page in pages.items()} | {"search_index.js": list(links_of_search(site))}
    for name in sorted(links):
        for link, line in links[name]:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = urllib.parse.unquote(parts.path) or name
            anchor = urllib.parse.unquote(parts.fragment)
            if not (site / target).is_file():
                yield f"{site.name}/{name}", line, f"{link}: a dead link, there is no {target}"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{site.name}/{name}", line, f"{link}: a dead link, {target} has no such anchor"


def markdown_pages():
    return sorted(path.relative_to(ROOT) for path in ROOT.glob("*.md")) + sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))


def outside_of_blocks(path):
    """The lines of a page that are no code, with their numbers."""
    in_code = False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def headings_of(path):
    return {prepare.slug(line.lstrip("#")) for _, line in outside_of_blocks(path) if line.startswith("#")}


def dead_links_of_sources():
    """Of README.md and its neighbours and docs/, as they are written: GitHub shows them too."""
    pages = set(markdown_pages())
    for path in sorted(pages):
        for number, line in outside_of_blocks(path):
            links = []
            prepare.outside_of_code(line, lambda part: links.extend(re.findall(r"\]\(([^)\s]+)\)", part)) or part)
            for link in links:
                if re.match(r"\w+:", link):
                    continue
                name, _, anchor = link.partition("#")
                target = prepare.file_of(path, name)
                if not (ROOT / target).is_file():
                    yield str(path), number, f"{link}: a dead link, there is no {target}"
                elif anchor and (target not in pages or anchor not in headings_of(target)):
                    yield str(path), number, f"{link}: a dead link, {target} has no such heading"


def unresolved_references(warnings):
    """What docstrings refer to by @ref and the like, which Doxygen looks for itself."""
    for line in warnings.read_text(encoding="utf-8").splitlines() if warnings.is_file() else ():
        found = re.match(r"(.+?):(\d+): (?:warning: )?(.*(?:unable to resolve|could not be resolved).*)", line)
        if found:
            yield re.sub(r".*/site-source/", "", found[1]), int(found[2]), found[3]


def main():
    xml, site, warnings = (pathlib.Path(each) for each in sys.argv[1:4])
    headers = reached_headers()
    definitions = definitions_in(xml)
    faults = [
        *missing_docstrings(definitions, headers),
        *wrong_throws(headers),
        *dead_links_of_sources(),
        *unresolved_references(warnings),
        *dead_links_of_pages(site),
    ]
    for path, line, what in sorted(set(faults)):
        print(f"{path}:{line}: {what}")
    public = sum(is_public(each, headers) for each in definitions)
    if public < 300:  # there are more; so few mean that Doxygen did not understand the headers
        print(f"docs: only {public} public names were found in {xml}")
        return 1
    if faults:
        print(f"docs: {len(set(faults))} fault{'s' if len(set(faults)) > 1 else ''}")
        return 1
    print(f"docs: {public} public names, all with a docstring; no dead link")
    return 0


if __name__ == "__main__":
    sys.exit(main())
