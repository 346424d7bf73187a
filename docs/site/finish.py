#!/usr/bin/env python3
"""What Doxygen leaves to do: `finish.py XML SITE` makes the index of the search, of Doxygen's XML, leads from the table of ops to
the ops' entries, and takes away the pages that nothing leads to. It checks nothing; check.py does.

An entry of the index is a page, a heading, a class or a function, with its first sentence. How they are looked up is
search.js's business.
"""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

# --- The index --------------------------------------------------------------------------------------------------------

LONGEST = 160  # letters of a sentence

KINDS = {"function": "function", "variable": "value", "typedef": "type", "enum": "enum", "define": "macro"}


def text_of(element):
    return " ".join("".join(element.itertext()).split()) if element is not None else ""


def sentence_of(definition):
    text = text_of(definition.find("briefdescription")) or text_of(definition.find("detaileddescription"))
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " ..."


def is_documented(definition):
    return any(text_of(definition.find(kind)) for kind in ("briefdescription", "detaileddescription"))


def place_of(member):
    """The page and the anchor of a function or the like."""
    page, _, anchor = member.get("id").rpartition("_1")
    return f"{page}.html#{anchor}"


def shown(name):
    return re.sub(r"^autograd::", "", name)


def entries_of_page(compound):
    name = "index" if compound.get("id") == "indexpage" else compound.get("id")
    title = text_of(compound.find("title"))
    if name.startswith("example_"):
        return [[title, "example", f"{name}.html", ""]]
    entries = [[title, "page", f"{name}.html", ""]]
    for section in compound.iter():
        if re.fullmatch(r"sect\d", section.tag):
            anchor = section.get("id").rpartition("_1")[2]
            # A reader knows where a word stands by what follows it.
            first = text_of(section.find("para"))
            entries.append([text_of(section.find("title")), title, f"{name}.html#{anchor}", first[:LONGEST]])
    return entries


def entries_of(compound):
    kind = compound.get("kind")
    if kind == "page":
        return entries_of_page(compound)
    entries = []
    name, page = text_of(compound.find("compoundname")), f"{compound.get('id')}.html"
    if kind in ("class", "struct", "concept") and compound.get("prot", "public") == "public":
        entries.append([shown(name), kind, page, sentence_of(compound)])
    elif kind == "group" and name != "reference":
        entries.append([text_of(compound.find("title")), "header", page, sentence_of(compound)])
    seen = set()
    for member in compound.iter("memberdef"):
        if member.get("kind") not in KINDS or member.get("prot") != "public" or not is_documented(member):
            continue
        member_name = text_of(member.find("qualifiedname")) or text_of(member.find("name"))
        if member_name not in seen:
            seen.add(member_name)
            entries.append([shown(member_name), KINDS[member.get("kind")], place_of(member), sentence_of(member)])
    return entries


# --- The pages --------------------------------------------------------------------------------------------------------


def unpadded(html):
    """Var<T>, which Doxygen writes as Var< T >."""
    return html.replace("&lt; ", "&lt;").replace(" &gt;", "&gt;")


def declaration(html):
    """A declaration as the headers space it, out of the cells in which Doxygen puts its parts: f(const T& x), std::span<T>."""
    html = re.sub(r"</?(?:table|tbody|tr|td)\b[^>]*>", " ", html).replace("&#160;", " ")
    html = re.sub(r"\s+", " ", html).strip()
    html = unpadded(html)
    html = re.sub(r" ((?:&amp;|\*)+) ?(?=[\w<)])", r"\1 ", html)  # T &x
    html = re.sub(r" ((?:&amp;|\*)+)$", r"\1", html)  # a result, whose function is in the next cell
    html = re.sub(r" \( ?", "(", html, count=1)
    return re.sub(r" (?=[),]|\.\.\.)", "", html)


def with_declarations(page):
    page = re.sub(
        r'<table class="memname">(.*?)</table>',
        lambda table: f'<div class="memname">{declaration(table[1])}</div>',
        page,
        flags=re.DOTALL,
    )
    return re.sub(
        r'(<td class="mem(?:Templ)?(?:Item(?:Left|Right)|Params)"[^>]*>)(.*?)(</td>)',
        lambda cell: cell[1] + (unpadded if "Params" in cell[1] else declaration)(cell[2]).strip() + " " + cell[3],
        page,
        flags=re.DOTALL,
    )


def unguessed(link):
    """A link to a class, if its text is the class's name, else the text."""
    name = link[1].split("_1_1")[-1]
    text = re.sub(r"&lt;.*", "", link[2]).split("::")[-1].strip()
    return link[0] if text == name.replace("__", "_") else link[2]


def tidied(page):
    """Without what Doxygen writes beside what it is asked for: links to a page's parts, of which some are not there; the heading
    "Detailed Description" above what a page begins with; "Concept Reference" behind a name; "More...", where the name is a link;
    and links that are guesses: of parameters to functions that happen to have their names, and, by 1.9.8, of any word to some
    class."""
    page = re.sub(r'<div class="summary">.*?</div>', "", page, flags=re.DOTALL)
    page = page.replace('<h2 class="groupheader">Detailed Description</h2>', "")
    page = re.sub(
        r'<div class="(?:title|compoundTemplParams)">.*?</div>', lambda name: unpadded(name[0]), page, flags=re.DOTALL
    )
    page = re.sub(r'(?<=<div class="title">)\w+::(\w+) Concept Reference', r"\1", page)
    page = re.sub(r'<a href="[^"]*">More\.\.\.</a>', "", page)
    page = re.sub(r'<a class="el" href="[^"]*">([a-z]\w*)</a>(?=[,)=])', r"\1", page)
    page = re.sub(r'<a class="(?:el|code[^"]*)" href="(?:class|struct)([^"#]*)\.html">([^<]*)</a>', unguessed, page)
    return with_declarations(page)


def link_ops(page, entries):
    """In the table of ops each name leads to its entry, where it has one: not a part of another op's gradient."""
    places = {name: place for name, kind, place, _ in entries if kind == "function"}

    def linked(cell):
        place = places.get(cell[2])
        return f'{cell[1]}<a href="{place}"><code>{cell[2]}</code></a>' if place else cell[0]

    return re.sub(r'(<tr class="markdownTableRow\w+">\s*<td[^>]*>)<code>(\w+)</code>', linked, page)


def reached_pages(site, entries):
    """Those to which links lead, from the start page or from what is found by the search."""
    reached, waiting = set(), ["index.html"] + [place.partition("#")[0] for _, _, place, _ in entries]
    while waiting:
        name = waiting.pop()
        if name in reached or not (site / name).is_file():
            continue
        reached.add(name)
        waiting += re.findall(r'href="([^":#]+\.html)', (site / name).read_text(encoding="utf-8"))
    return reached


def main():
    xml, site = (pathlib.Path(each) for each in sys.argv[1:3])
    entries = []
    for compound in ElementTree.parse(xml / "index.xml").getroot().iter("compound"):
        if compound.get("kind") in ("page", "group", "class", "struct", "concept"):
            root = ElementTree.parse(xml / f"{compound.get('refid')}.xml").getroot()
            entries += entries_of(root.find("compounddef"))
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (site / "search_index.js").write_text(f"const search_index = [\n{lines}\n];\n", encoding="utf-8")

    for path in site.glob("*.html"):
        page = tidied(path.read_text(encoding="utf-8"))
        if path.stem.endswith("-ko"):
            page = page.replace('<html lang="en">', '<html lang="ko">')
        path.write_text(link_ops(page, entries) if path.name == "ops.html" else page, encoding="utf-8")
    for path in set(site.glob("*.html")) - {site / name for name in reached_pages(site, entries)}:
        path.unlink()


if __name__ == "__main__":
    main()
