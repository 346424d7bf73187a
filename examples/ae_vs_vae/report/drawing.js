// The pen of an explorer that has encoders: by mouse, finger or keyboard it changes the picture, whose codes follow it. What is
// shown of them is up to explorer.js.

const PEN_RADIUS = 0.04, LEAST_RADIUS = 0.7;  // of the picture's longer side, and in pixels

function addDrawing(view) {
    view.root.classList.add("drawable");
    view.find(".then-draw").hidden = false;
    const paper = view.find(".output.test canvas");
    const {rows, columns} = report.test;
    view.pen = {x: columns / 2, y: rows / 2, down: false, erases: false};
    Object.assign(paper, {tabIndex: 0});
    paper.setAttribute("role", "application");
    paper.setAttribute("aria-label",
        "Your drawing. Arrow keys move the pen, Space puts it down or lifts it, E changes to the eraser, Delete clears");
    addPointer(view, paper);
    paper.addEventListener("keydown", (event) => penByKey(view, event));
    for (const event of ["focus", "blur"]) paper.addEventListener(event, () => showPen(view));
    addPenTools(view);
}

function addPointer(view, paper) {
    let drawing = false;
    const place = (event) => {
        const box = paper.getBoundingClientRect();
        return [((event.clientX - box.left) / box.width) * report.test.columns,
            ((event.clientY - box.top) / box.height) * report.test.rows];
    };
    paper.addEventListener("pointerdown", (event) => {
        paper.setPointerCapture(event.pointerId);
        drawing = true;
        [view.pen.x, view.pen.y] = place(event);
        view.pen.down = false;
        strokeTo(view, view.pen.x, view.pen.y);
    });
    paper.addEventListener("pointermove", (event) => {
        if (!drawing) return;
        for (const each of event.getCoalescedEvents?.() ?? [event]) paintStroke(view, ...place(each));
        showDrawing(view);
    });
    for (const end of ["pointerup", "pointercancel"]) paper.addEventListener(end, () => (drawing = false));
}

function addPenTools(view) {
    const tools = view.find(".pen-tools");
    tools.hidden = false;
    for (const radio of tools.querySelectorAll("input")) {
        radio.name = `pen-${document.querySelectorAll(".explorer").length}`;
        radio.addEventListener("change", () => (view.pen.erases = radio.value === "eraser"));
    }
    button(tools, "Clear", () => clearDrawing(view), "clear");
    view.backButton = button(tools, "Back to the drawing", () => goBack(view), "back");
    view.backButton.disabled = true;
}

/** Lifts the pen, and keeps what it drew, before another picture or a random code takes its place. */
function keepDrawing(view) {
    if (!view.pen) return;
    view.pen.down = false;
    if (!view.drawn) return;
    view.kept = {picture: view.picture, image: view.image, label: view.label};
    view.backButton.disabled = false;
}

function goBack(view) {
    Object.assign(view, view.kept);
    showDrawing(view);
}

function penByKey(view, event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;  // the browser's
    const {pen} = view, direction = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    const others = {
        " ": () => {
            pen.down = !pen.down;
            if (pen.down) strokeTo(view, pen.x, pen.y);
        },
        e: () => view.find(`.pen-tools input[value=${pen.erases ? "pen" : "eraser"}]`).click(),
        Delete: () => clearDrawing(view),
        Backspace: () => clearDrawing(view),
    };
    if (!direction && !others[event.key]) return;
    event.preventDefault();
    if (direction) {
        const x = Math.min(Math.max(pen.x + direction[0], 0), report.test.columns);
        const y = Math.min(Math.max(pen.y + direction[1], 0), report.test.rows);
        if (pen.down) strokeTo(view, x, y);
        [pen.x, pen.y] = [x, y];
    } else {
        others[event.key]();
    }
    showPen(view);
    const code = view.posterior ? `; the VAE's mean is ${describe(view.posterior.mean.slice(0, 4))}` : "";
    view.find(".live").textContent = `Pen ${pen.down ? (pen.erases ? "erases" : "draws") : "up"}${code}`;
}

/** The pen's place, while keys can move it. */
function showPen(view) {
    const mark = view.find(".pen"), {x, y, down} = view.pen;
    mark.hidden = !view.find(".output.test canvas").matches(":focus-visible");
    mark.classList.toggle("down", down);
    mark.style.left = `${(100 * x) / report.test.columns}%`;
    mark.style.top = `${(100 * y) / report.test.rows}%`;
}

function clearDrawing(view) {
    keepDrawing(view);
    view.image = null;
    view.picture = new Float32Array(report.test.rows * report.test.columns);
    showDrawing(view);
}

function strokeTo(view, x, y) {
    paintStroke(view, x, y);
    showDrawing(view);
}

/** A straight stroke from the pen's place, in pixels of the picture; as much of a pixel as it covers becomes white, or black. */
function paintStroke(view, x, y) {
    const {pen} = view, {rows, columns} = report.test, radius = Math.max(LEAST_RADIUS, PEN_RADIUS * Math.max(rows, columns));
    view.picture ??= new Float32Array(rows * columns);
    const [dx, dy] = [x - pen.x, y - pen.y], length = dx * dx + dy * dy;
    for (let i = 0; i < rows; ++i) {
        for (let j = 0; j < columns; ++j) {
            const [px, py] = [j + 0.5 - pen.x, i + 0.5 - pen.y];
            const along = length > 0 ? Math.min(Math.max((px * dx + py * dy) / length, 0), 1) : 0;
            const covered = Math.min(Math.max(radius + 0.5 - Math.hypot(px - along * dx, py - along * dy), 0), 1);
            const at = i * columns + j, old = view.picture[at];
            view.picture[at] = pen.erases ? old * (1 - covered) : Math.max(old, covered);
        }
    }
    [pen.x, pen.y] = [x, y];
}

function showDrawing(view) {
    view.drawn = true;
    encodeDrawing(view);
    view.showAlsoOutside?.(view.code);
    showCodes(view);
}

function encodeDrawing(view) {
    view.code = encode(view.explorer, "ae", view.picture, view.label).mean;
    view.posterior = encode(view.explorer, "vae", view.picture, view.label);
}
