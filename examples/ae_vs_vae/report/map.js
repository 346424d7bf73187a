// A map: codes of two dimensions as dots in a square, coloured by class, with axes and the circles of N(0, I). It is a picture:
// what moves on one is up to plane.js and film.js. A view here is anything with codes and maps by model; a map has its canvas, its
// size and its window.

// What of the plane a map shows: a square of so much around its centre. z ~ N(0, I) is within this in 999 of 1000 draws.
const PRIOR_WINDOW = {centre: [0, 0], extent: 3.5};
const MARGIN = 30;  // for the axes' numbers, in CSS pixels

// Between codes and places in the canvas, in CSS pixels. The plot is a square with margins to the left and below.
const plotSize = (map) => map.size - MARGIN;

const scaleOf = (map) => plotSize(map) / (2 * map.window.extent);

function toPlace(map, [a, b]) {
    const {centre, extent} = map.window, scale = scaleOf(map);
    return [MARGIN + (a - centre[0] + extent) * scale, (centre[1] + extent - b) * scale];
}

/** The nearest code that the map shows. */
function insideWindow({window: {centre, extent}}, z) {
    return z.map((value, i) => Math.min(Math.max(value, centre[i] - extent), centre[i] + extent));
}

/** Sizes a canvas to the screen's own pixels; the context then counts in CSS pixels. */
function contextOf(canvas, size) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return context;
}

/** Draws a model's map: paintBelow(context) under the dots, of which the first `ringed` have rings. */
function paintMap(view, model, ringed, paintBelow = () => {}) {
    const map = view.maps[model];
    map.size = map.base.parentElement.clientWidth;
    if (map.size < LEAST_SIZE) return;
    const context = contextOf(map.base, map.size);
    context.save();
    context.beginPath();
    context.rect(MARGIN, 0, plotSize(map), plotSize(map));
    context.fillStyle = cssColor("--plot");
    context.fill();
    context.clip();
    paintBelow(context);
    drawDots(view, model, context, ringed);
    drawPrior(view, map, context);
    context.restore();
    drawAxes(view, map, context);
    drawClassNames(view, model, context);
}

/** The classes and their colours. `list` is emptied first: the colours change with the scheme. */
function fillClassLegend(list) {
    list.replaceChildren();
    report.test.class_names.forEach((name, label) => {
        const item = element(list, "li");
        element(item, "i", "dot").style.background = classColor(label);
        item.append(name);
    });
}

function drawDots(view, model, context, ringed) {
    const map = view.maps[model], codes = view.codes[model];
    const colors = report.test.class_names.map((_, label) => classColor(label));
    const dot = (i, radius) => {
        const [x, y] = toPlace(map, row(codes, i));
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fillStyle = colors[report.test.labels[i]];
        context.fill();
    };
    context.globalAlpha = 0.65;
    for (let i = ringed; i < codes.shape[0]; ++i) dot(i, 1.7);
    context.globalAlpha = 1;
    context.strokeStyle = cssColor("--ink");
    context.lineWidth = 1;
    for (let i = 0; i < ringed; ++i) {
        dot(i, 2.8);
        context.stroke();
    }
}

/** Circles of one and two standard deviations of N(0, I). */
function drawPrior(view, map, context) {
    const [x, y] = toPlace(map, [0, 0]);
    const scale = scaleOf(map);
    context.strokeStyle = cssColor("--ink");
    context.lineWidth = 1.2;
    context.setLineDash([5, 4]);
    for (const radius of [1, 2]) {
        context.beginPath();
        context.arc(x, y, radius * scale, 0, 2 * Math.PI);
        context.stroke();
    }
    context.setLineDash([]);
}

function drawAxes(view, map, context) {
    context.strokeStyle = cssColor("--rule");
    context.strokeRect(MARGIN + 0.5, 0.5, plotSize(map) - 1, plotSize(map) - 1);
    context.fillStyle = cssColor("--muted");
    context.font = `12px ${cssColor("--font")}`;
    const {centre: [a, b], extent} = map.window;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const {value, text} of ticks(a - extent, a + extent, 5)) {
        const [x] = toPlace(map, [value, b]);
        if (x > MARGIN + 10 && x < map.size - 26) context.fillText(text, x, plotSize(map) + 6);  // not over the axis's name
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const {value, text} of ticks(b - extent, b + extent, 5)) {
        const [, y] = toPlace(map, [a, value]);
        if (y > 26 && y < plotSize(map) - 8) context.fillText(text, MARGIN - 6, y);
    }
    context.font = `italic 13px ${cssColor("--font")}`;
    context.textAlign = "right";
    context.textBaseline = "top";
    context.fillText("z\u2081", map.size - 3, plotSize(map) + 5);
    context.fillText("z\u2082", MARGIN - 6, 3);
}

/** Each class's name at the median of its codes, moved up or down where it would cover another. */
function drawClassNames(view, model, context) {
    const map = view.maps[model];
    context.font = `600 12px ${cssColor("--font")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const labels = report.test.class_names.map((name, label) => {
        const [x, y] = toPlace(map, medianOfClass(view.codes[model], label));
        return {name, x, y, width: context.measureText(name).width + 6, height: 16};
    });
    const inside = ({x, y, width}) =>
        x - width / 2 > MARGIN && x + width / 2 < map.size && y > 8 && y < plotSize(map) - 8;
    const visible = labels.filter(inside), placed = withoutOverlap(visible).filter(inside);
    if (placed.length < visible.length / 2) return;  // the codes are a spot at this scale
    for (const {name, x, y} of placed) {
        context.strokeStyle = cssColor("--plot");
        context.lineWidth = 4;
        context.strokeText(name, x, y);
        context.fillStyle = cssColor("--ink");
        context.fillText(name, x, y);
    }
}

function medianOfClass(codes, label) {
    return [0, 1].map((i) => {
        const values = [];
        for (let k = 0; k < codes.shape[0]; ++k) {
            if (report.test.labels[k] === label) values.push(codes.values[2 * k + i]);
        }
        return values.length ? quantile(values.sort((a, b) => a - b), 0.5) : NaN;
    });
}

/** Boxes around (x, y), each moved by as few half heights as is needed, or left out if no step is enough. */
function withoutOverlap(boxes, steps = [0, -1, 1, -2, 2, -3, 3]) {
    const placed = [];
    const apart = (a, b) =>
        Math.abs(a.x - b.x) > (a.width + b.width) / 2 || Math.abs(a.y - b.y) > (a.height + b.height) / 2;
    const free = (box) => placed.every((other) => apart(box, other));
    for (const box of boxes) {
        const moved = steps.map((step) => ({...box, y: box.y + (step * box.height) / 2})).find(free);
        if (moved) placed.push(moved);
    }
    return placed;
}

