// The search of the site, in the browser alone: what finish.py wrote is looked through as words are typed. It fetches
// nothing. An entry of search_index is [name, kind, page, first sentence].
"use strict";

const most_results = 30;

// How well an entry fits, by the best of its words; 0 where one word is nowhere in it.
function score_of(entry, words) {
    const name = entry[0].toLowerCase();
    const last = name.slice(name.lastIndexOf(":") + 1);
    const text = entry[3].toLowerCase();
    let score = 0;
    for (const word of words) {
        if (last === word || name === word) score += 100;
        else if (last.startsWith(word)) score += 40;
        else if (name.includes(word)) score += 20;
        else if (text.includes(word)) score += 1;
        else return 0;
    }
    return score - name.length / 1000;
}

function matches(query) {
    const words = query.toLowerCase().split(/[\s:()]+/).filter(Boolean);
    if (words.length === 0) return [];
    return search_index.map((entry) => [score_of(entry, words), entry])
        .filter(([score]) => score > 0)
        .sort(([a], [b]) => b - a)
        .slice(0, most_results)
        .map(([, entry]) => entry);
}

function item_of([name, kind, page, sentence]) {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = page;
    link.appendChild(document.createElement("b")).textContent = name;
    link.appendChild(document.createElement("i")).textContent = kind;
    link.appendChild(document.createElement("span")).textContent = sentence;
    return item;
}

function show_results(input, list) {
    const found = matches(input.value);
    list.replaceChildren(...found.map(item_of));
    if (found.length === 0 && input.value.trim() !== "") {
        list.appendChild(document.createElement("li")).textContent = "Nothing has these words.";
    }
    list.hidden = input.value.trim() === "";
}

const input = document.getElementById("search");
const list = document.getElementById("results");
input.addEventListener("input", () => show_results(input, list));
input.addEventListener("focus", () => show_results(input, list));
list.addEventListener("click", () => { list.hidden = true; });  // a link may lead to another place of this page
document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) list.hidden = true;
});
document.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const place = links.indexOf(document.activeElement);
    if (event.key === "/" && document.activeElement !== input) {
        event.preventDefault();
        input.focus();
    } else if (event.key === "Escape") {
        list.hidden = true;
        input.blur();
    } else if (event.key === "Enter" && document.activeElement === input && links.length > 0) {
        links[0].click();
    } else if (event.key === "ArrowDown" && (place >= 0 || document.activeElement === input)) {
        event.preventDefault();
        links[Math.min(place + 1, links.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && place >= 0) {
        event.preventDefault();
        (place === 0 ? input : links[place - 1]).focus();
    }
});
