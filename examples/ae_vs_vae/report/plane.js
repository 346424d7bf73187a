// The maps of an explorer whose codes have two dimensions: dots of test pictures, holes, and the point, which is dragged. What
// a map is made of is in map.js.

const PICK_DISTANCE = 9;    // from a dot to a click that means it, in CSS pixels
const HOLE_ALPHA = 130;     // of 255, where the map is emptiest

function addPlane(view) {
    const {explorer} = view;
    view.find(".controls").append(fromTemplate("plane-template"));
    view.codes = {ae: explorer.ae_code, vae: explorer.vae_mean};
    view.maps = {};
    for (const model of MODELS) addMap(view, model);
    addPlaneTools(view);
    view.showAlsoOutside = (code) => {  // once, so that the AE's code can be seen to follow the pen
        if (insideWindow(view.maps.ae, code).every((value, i) => value === code[i])) return;
        view.find(".zoom input[value=own]").click();
        view.showAlsoOutside = null;
    };
    view.redrawControls = () => MODELS.forEach((model) => drawOverlay(view, model));
    view.redrawMaps = () => MODELS.forEach((model) => drawMap(view, model));
    new ResizeObserver(() => view.redrawMaps()).observe(view.find(".maps"));
}

function addMap(view, model) {
    const find = (selector) => view.find(`.map.${model} ${selector}`);
    const map = {base: find(".base"), overlay: find(".overlay"), size: 0, window: PRIOR_WINDOW};
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
        setPoint(view, toCode(map, start));
    });
    map.overlay.addEventListener("pointermove", (event) => {
        if (start) setPoint(view, toCode(map, place(event)));
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
    const map = view.maps[model], step = (map.window.extent / PRIOR_WINDOW.extent) * (event.shiftKey ? 0.5 : 0.1);
    setPoint(view, insideWindow(map, direction.map((d, i) => view.z[model][i] + step * d)));
    view.find(".live").textContent = `z = ${describe(view.z[model])}`;
}

/** Selects the test picture whose dot is nearest to a place, if that is near enough. */
function pick(view, model, [x, y]) {
    const map = view.maps[model];
    let nearest = PICK_DISTANCE, found = null;
    for (let i = 0; i < report.test.pixels.shape[0]; ++i) {
        const [px, py] = toPlace(map, row(view.codes[model], i));
        const distance = Math.hypot(px - x, py - y);
        if (distance < nearest) [nearest, found] = [distance, i];
    }
    if (found !== null) selectImage(view, found);
}

function toCode(map, [x, y]) {
    const {centre, extent} = map.window, scale = scaleOf(map);
    return insideWindow(map, [(x - MARGIN) / scale + centre[0] - extent, centre[1] + extent - y / scale]);
}

/** The window that holds the codes of these models, and PRIOR_WINDOW. */
function windowOf(view, models) {
    const ends = [0, 1].map((i) => {
        const values = models.flatMap((model) => Array.from(sortedColumn(view.codes[model], i)));
        const low = values.reduce((a, b) => Math.min(a, b), -PRIOR_WINDOW.extent);
        return [low, values.reduce((a, b) => Math.max(a, b), PRIOR_WINDOW.extent)];
    });
    return {
        centre: ends.map(([low, high]) => (low + high) / 2),
        extent: 1.05 * Math.max(...ends.map(([low, high]) => (high - low) / 2)),
    };
}

/** What each choice shows of a model's codes. */
const WINDOWS = {
    prior: () => PRIOR_WINDOW,
    all: (view) => windowOf(view, MODELS),
    own: (view, model) => windowOf(view, [model]),
};

function addPlaneTools(view) {
    view.root.querySelectorAll(".zoom input").forEach((radio) => {
        radio.name = `zoom-${document.querySelectorAll(".explorer").length}`;
        radio.addEventListener("change", () => {
            for (const model of MODELS) view.maps[model].window = WINDOWS[radio.value](view, model);
            view.redrawMaps();
        });
    });
    const {ae_holes, vae_holes, holes_meaning} = view.explorer;
    const shaded = ae_holes || vae_holes;
    view.find(".holes").hidden = !shaded;
    view.find(".holes-meaning").textContent = shaded ? `Shading, the stronger the emptier: ${holes_meaning}` : "";
    view.find(".holes input").addEventListener("change", () => view.redrawMaps());
}

function drawMap(view, model) {
    paintMap(view, model, report.test.pixels.shape[0], (context) => drawHoles(view, model, context));
    fillClassLegend(view.find(".classes"));
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
    const [left, top] = toPlace(view.maps[model], [-holes.extent, holes.extent]);
    const [right, bottom] = toPlace(view.maps[model], [holes.extent, -holes.extent]);
    context.imageSmoothingEnabled = true;
    context.drawImage(canvas, left, top, right - left, bottom - top);
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
    if (model === "vae" && view.posterior) drawEllipse(view, map, context);
    context.restore();
    drawPoint(view, model, context);
}

/** The point; where it is off the map, a hollow one at the edge, with what it is. */
function drawPoint(view, model, context) {
    const map = view.maps[model], z = view.z[model];
    const shown = insideWindow(map, z);
    const outside = shown.some((value, i) => value !== z[i]);
    let [x, y] = toPlace(map, shown);
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
    const {mean, logVariance} = view.posterior;
    const [x, y] = toPlace(map, mean);
    const scale = scaleOf(map);
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
