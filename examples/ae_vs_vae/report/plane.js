// The maps of an explorer whose codes have two dimensions: dots of test pictures, holes, and the point, which is dragged.

// What of the plane a map shows: a square of so much around its centre. z ~ N(0, I) is within this in 999 of 1000 draws.
const PRIOR_WINDOW = {centre: [0, 0], extent: 3.5};
const PICK_DISTANCE = 9;    // from a dot to a click that means it, in CSS pixels
const HOLE_ALPHA = 130;     // of 255, where the map is emptiest
const MARGIN = 30;          // for the axes' numbers, in CSS pixels

function addPlane(view) {
    const {explorer} = view;
    view.find(".controls").append(fromTemplate("plane-template"));
    view.codes = {ae: explorer.ae_code, vae: explorer.vae_mean};
    view.window = PRIOR_WINDOW;
    view.maps = {};
    for (const model of MODELS) addMap(view, model);
    addPlaneTools(view);
    addClassLegend(view);
    view.redrawControls = () => MODELS.forEach((model) => drawOverlay(view, model));
    view.redrawMaps = () => MODELS.forEach((model) => drawMap(view, model));
    new ResizeObserver(() => view.redrawMaps()).observe(view.find(".maps"));
}

function addMap(view, model) {
    const find = (selector) => view.find(`.map.${model} ${selector}`);
    const map = {base: find(".base"), overlay: find(".overlay"), size: 0};
    view.maps[model] = map;
    const label = `Map of the ${NAMES[model]}'s codes: arrow keys move the point, with Shift further`;
    map.overlay.setAttribute("aria-label", label);
    let start = null;  // where the pointer went down
    const place = (event) => {
        const box = map.overlay.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
    };
    map.overlay.addEventListener("pointerdown", (event) => {
        map.overlay.setPointerCapture(event.pointerId);
        start = place(event);
        setPoint(view, toCode(view, map, start));
    });
    map.overlay.addEventListener("pointermove", (event) => {
        if (start) setPoint(view, toCode(view, map, place(event)));
    });
    map.overlay.addEventListener("pointerup", (event) => {
        const end = place(event);
        if (start && Math.hypot(end[0] - start[0], end[1] - start[1]) < 4) pick(view, model, end);
        start = null;
    });
    map.overlay.addEventListener("pointercancel", () => (start = null));
    map.overlay.addEventListener("keydown", (event) => moveByKey(view, model, event));
}

function moveByKey(view, model, event) {
    const direction = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = (view.window.extent / PRIOR_WINDOW.extent) * (event.shiftKey ? 0.5 : 0.1);
    setPoint(view, insideWindow(view, direction.map((d, i) => view.z[model][i] + step * d)));
    view.find(".live").textContent = `z = ${describe(view.z[model])}`;
}

/** Selects the test picture whose dot is nearest to a place, if that is near enough. */
function pick(view, model, [x, y]) {
    const map = view.maps[model];
    let nearest = PICK_DISTANCE, found = null;
    for (let i = 0; i < report.test.pixels.shape[0]; ++i) {
        const [px, py] = toPlace(view, map, row(view.codes[model], i));
        const distance = Math.hypot(px - x, py - y);
        if (distance < nearest) [nearest, found] = [distance, i];
    }
    if (found !== null) selectImage(view, found);
}

// Between codes and places in the canvas, in CSS pixels. The plot is a square with margins to the left and below.
const plotSize = (map) => map.size - MARGIN;

const scaleOf = (view, map) => plotSize(map) / (2 * view.window.extent);

function toPlace(view, map, [a, b]) {
    const {centre, extent} = view.window, scale = scaleOf(view, map);
    return [MARGIN + (a - centre[0] + extent) * scale, (centre[1] + extent - b) * scale];
}

function toCode(view, map, [x, y]) {
    const {centre, extent} = view.window, scale = scaleOf(view, map);
    return insideWindow(view, [(x - MARGIN) / scale + centre[0] - extent, centre[1] + extent - y / scale]);
}

/** The nearest code that the map shows. */
function insideWindow({window: {centre, extent}}, z) {
    return z.map((value, i) => Math.min(Math.max(value, centre[i] - extent), centre[i] + extent));
}

/** The window that holds the codes of both models, and PRIOR_WINDOW. */
function windowOfAll(view) {
    const ends = [0, 1].map((i) => {
        const values = MODELS.flatMap((model) => Array.from(sortedColumn(view.codes[model], i)));
        const low = values.reduce((a, b) => Math.min(a, b), -PRIOR_WINDOW.extent);
        return [low, values.reduce((a, b) => Math.max(a, b), PRIOR_WINDOW.extent)];
    });
    return {
        centre: ends.map(([low, high]) => (low + high) / 2),
        extent: 1.05 * Math.max(...ends.map(([low, high]) => (high - low) / 2)),
    };
}

function addPlaneTools(view) {
    view.root.querySelectorAll(".zoom input").forEach((radio) => {
        radio.name = `zoom-${document.querySelectorAll(".explorer").length}`;
        radio.addEventListener("change", () => {
            view.window = radio.value === "all" ? windowOfAll(view) : PRIOR_WINDOW;
            view.redrawMaps();
        });
    });
    const {ae_holes, vae_holes, holes_meaning} = view.explorer;
    const shaded = ae_holes || vae_holes;
    view.find(".holes").hidden = !shaded;
    view.find(".holes-meaning").textContent = shaded ? `Shading, the stronger the emptier: ${holes_meaning}` : "";
    view.find(".holes input").addEventListener("change", () => view.redrawMaps());
}

function addClassLegend(view) {
    report.test.class_names.forEach((name, label) => {
        const item = element(view.find(".classes"), "li");
        element(item, "i", "dot").dataset.label = label;
        item.append(name);
    });
}

/** Sizes a canvas to the screen's own pixels; the context then counts in CSS pixels. */
function contextOf(canvas, size) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return context;
}

function drawMap(view, model) {
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
    drawHoles(view, model, context);
    drawDots(view, model, context);
    drawPrior(view, map, context);
    context.restore();
    drawAxes(view, map, context);
    drawClassNames(view, model, context);
    for (const dot of view.root.querySelectorAll(".classes .dot")) {
        dot.style.background = classColor(Number(dot.dataset.label));
    }
    drawOverlay(view, model);
}

/** The hole map as shades of one colour. Both models share the scale, from the least value to the largest. */
function drawHoles(view, model, context) {
    const maps = MODELS.map((each) => view.explorer[`${each}_holes`]).filter(Boolean);
    const holes = view.explorer[`${model}_holes`];
    if (!holes || !view.find(".holes input").checked) return;
    const all = maps.map((each) => each.values.values);
    const low = Math.min(...all.map((values) => values.reduce((a, b) => Math.min(a, b))));
    const high = Math.max(...all.map((values) => values.reduce((a, b) => Math.max(a, b))));
    const side = holes.values.shape[0];
    const [red, green, blue] = cssColor("--hole").split(" ").map(Number);
    const image = new ImageData(side, side);
    for (let i = 0; i < side; ++i) {
        for (let j = 0; j < side; ++j) {
            const share = high > low ? (holes.values.values[i * side + j] - low) / (high - low) : 0;
            image.data.set([red, green, blue, Math.round(HOLE_ALPHA * share)], 4 * ((side - 1 - i) * side + j));
        }
    }
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d").putImageData(image, 0, 0);
    const [left, top] = toPlace(view, view.maps[model], [-holes.extent, holes.extent]);
    const [right, bottom] = toPlace(view, view.maps[model], [holes.extent, -holes.extent]);
    context.imageSmoothingEnabled = true;
    context.drawImage(canvas, left, top, right - left, bottom - top);
}

function drawDots(view, model, context) {
    const map = view.maps[model];
    const colors = report.test.class_names.map((_, label) => classColor(label));
    const ringed = report.test.pixels.shape[0];
    const dot = (i, radius) => {
        const [x, y] = toPlace(view, map, row(view.codes[model], i));
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fillStyle = colors[report.test.labels[i]];
        context.fill();
    };
    context.globalAlpha = 0.65;
    for (let i = ringed; i < report.test.labels.length; ++i) dot(i, 1.7);
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
    const [x, y] = toPlace(view, map, [0, 0]);
    const scale = scaleOf(view, map);
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
    const {centre: [a, b], extent} = view.window;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const {value, text} of ticks(a - extent, a + extent, 5)) {
        const [x] = toPlace(view, map, [value, b]);
        if (x > MARGIN + 10 && x < map.size - 26) context.fillText(text, x, plotSize(map) + 6);  // not over the axis's name
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const {value, text} of ticks(b - extent, b + extent, 5)) {
        const [, y] = toPlace(view, map, [a, value]);
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
        const [x, y] = toPlace(view, map, medianOfClass(view.codes[model], label));
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

/** What changes with the point: the point, and the ellipse of q(z|x). */
function drawOverlay(view, model) {
    const map = view.maps[model];
    if (map.size < LEAST_SIZE) return;
    const context = contextOf(map.overlay, map.size);
    context.save();
    context.beginPath();
    context.rect(MARGIN, 0, plotSize(map), plotSize(map));
    context.clip();
    if (model === "vae" && view.image !== null) drawEllipse(view, map, context);
    context.restore();
    drawPoint(view, model, context);
}

/** The point; where it is off the map, a hollow one at the edge, with what it is. */
function drawPoint(view, model, context) {
    const map = view.maps[model], z = view.z[model];
    const shown = insideWindow(view, z);
    const outside = shown.some((value, i) => value !== z[i]);
    let [x, y] = toPlace(view, map, shown);
    if (outside) {  // all of the circle on the map
        x = Math.min(Math.max(x, MARGIN + 12), map.size - 12);
        y = Math.min(Math.max(y, 12), plotSize(map) - 12);
    }
    const circle = (radius, width, color) => {
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.lineWidth = width;
        context.strokeStyle = color;
        context.stroke();
    };
    circle(8, 4, cssColor("--plot"));
    context.fillStyle = cssColor(outside ? "--plot" : `--${model}`);
    context.fill();
    circle(7, 3, cssColor(`--${model}`));
    circle(10, 1.5, cssColor("--ink"));
    if (outside) drawNote(map, context, `off the map, at ${describe(z)}`, x, y);
}

/** A line of text beside a place at the edge of the map. */
function drawNote(map, context, text, x, y) {
    context.font = `600 12px ${cssColor("--font")}`;
    const half = context.measureText(text).width / 2 + 6;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 5;
    context.lineJoin = "round";
    context.strokeStyle = cssColor("--plot");
    context.fillStyle = cssColor("--ink");
    const left = Math.min(Math.max(x, MARGIN + half), map.size - half), top = y + (y < map.size / 2 ? 24 : -24);
    context.strokeText(text, left, top);
    context.fillText(text, left, top);
}

/** q(z|x) of the encoded picture: one and two standard deviations. */
function drawEllipse(view, map, context) {
    const logVariance = row(view.explorer.vae_log_variance, view.image);
    const [x, y] = toPlace(view, map, row(view.explorer.vae_mean, view.image));
    const scale = scaleOf(view, map);
    context.strokeStyle = cssColor("--vae");
    context.fillStyle = cssColor("--vae");
    for (const deviations of [1, 2]) {
        const [a, b] = Array.from(logVariance, (value) => deviations * scale * Math.exp(0.5 * value));
        context.beginPath();
        context.ellipse(x, y, a, b, 0, 0, 2 * Math.PI);
        context.globalAlpha = 0.2;
        context.fill();
        context.globalAlpha = 1;
        context.lineWidth = 2;
        context.stroke();
    }
}
