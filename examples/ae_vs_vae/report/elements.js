// Small pieces of the page: elements, grey pictures, colours, numbers as text. Strings from the data become text nodes only.

const LEAST_SIZE = 120;  // of maps and charts, in CSS pixels: while a page is laid out they may be smaller

function element(parent, tag, className = "", text = "") {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== "") node.textContent = text;
    parent.append(node);
    return node;
}

function button(parent, text, onClick, className = "") {
    const node = element(parent, "button", className, text);
    node.type = "button";
    node.addEventListener("click", onClick);
    return node;
}

function fromTemplate(id) {
    return document.getElementById(id).content.cloneNode(true);
}

/** Shows a section, and returns the place in it that is to be filled. */
function openSection(id, selector) {
    const section = document.getElementById(id);
    section.hidden = false;
    return section.querySelector(selector);
}

function cssColor(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Grey pixels into a canvas of as many; CSS scales it. `grey(i)` is from 0 to 255. */
function paintGrey(canvas, rows, columns, grey) {
    canvas.width = columns;
    canvas.height = rows;
    const image = new ImageData(columns, rows);
    for (let i = 0; i < rows * columns; ++i) {
        image.data.fill(grey(i), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
}

function paintProbabilities(canvas, probabilities) {
    paintGrey(canvas, report.test.rows, report.test.columns, (i) => 255 * probabilities[i]);
}

/** A test picture; for null, an empty canvas of the same size. */
function paintTestImage(canvas, index) {
    const {rows, columns, pixels} = report.test;
    Object.assign(canvas, {width: columns, height: rows});
    if (index !== null) paintGrey(canvas, rows, columns, (i) => pixels.values[index * rows * columns + i]);
}

function className(index) {
    return report.test.class_names[report.test.labels[index]];
}

/** Colours of classes, as even in hue as there are classes. */
function classColor(label) {
    const count = Math.max(report.test.class_names.length, 1);
    return `hsl(${Math.round((360 * label) / count + 8)} var(--x) var(--y))`
        .replace("var(--x)", cssColor("--class-saturation"))
        .replace("var(--y)", cssColor(label % 2 ? "--class-lightness-odd" : "--class-lightness-even"));
}

const minus = (text) => text.replace("-", "\u2212");
const fixed = (value, digits) => minus(value.toFixed(digits));

/** Three significant digits, never in the notation with an exponent. */
function short(value) {
    const magnitude = Math.abs(value);
    const digits = magnitude === 0 ? 0 : Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(magnitude))));
    return fixed(value, magnitude >= 100 ? 0 : digits);
}
