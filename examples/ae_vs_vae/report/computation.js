// The tape of one training step as a graph: each node a button, each input an arrow, coloured where the gradient of the chosen
// loss flows. What is said of the chosen node is in computation_panel.js, where nodes stand in computation_layout.js.

const GRAPH_GAP = {column: 12, row: 26, arrow: 12, edge: 14};  // in CSS pixels
const NARROW_GRAPH = 520, NARROW_GAP = {column: 4, row: 24, arrow: 8, edge: 7};

const recordingOf = (view) => view.computation.recordings[view.way];
const isLive = (view, index) => recordingOf(view).nodes[index].gradients[view.loss].norm !== undefined;
const isLiveArrow = (view, {from, to, cut}) => !cut && isLive(view, from) && isLive(view, to);
/** Where an op ends the way of a gradient that something before it waits for. */
const isCutArrow = (view, {from, cut}) => cut && recordingOf(view).nodes[from].needs_gradient;

function addComputation() {
    const {computation} = report;
    if (!computation) return null;
    const root = openSection("tape", ".tape");
    const find = (selector) => root.querySelector(selector);
    const view = {computation, root, find, way: 0, loss: 0, chosen: 0, buttons: [], arrows: []};
    root.parentElement.querySelector(".picture-name").textContent = className(computation.image);
    addChoice(find(".ways"), "tape-way", computation.recordings.map(({way}) => way), (way) => switchWay(view, way));
    addChoice(find(".losses"), "tape-loss", computation.losses, (loss) => {
        view.loss = loss;
        showGradients(view);
        say(view);
    });
    find(".graph").addEventListener("keydown", (event) => moveFocus(view, event));
    view.chosen = indexOf(view, "z");
    buildGraph(view);
    new ResizeObserver(() => placeGraph(view)).observe(find(".graph-frame"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
        buildGraph(view);
        placeGraph(view);
    });
    return view;
}

function addChoice(parent, name, texts, choose) {
    texts.forEach((text, i) => {
        const label = element(parent, "label");
        const input = element(label, "input");
        Object.assign(input, {type: "radio", name, value: i, checked: i === 0});
        input.addEventListener("change", () => choose(i));
        label.append(text);
    });
}

function indexOf(view, name) {
    return Math.max(0, recordingOf(view).nodes.findIndex((node) => node.name === name));
}

/** Draws the other recording. The chosen node stays, where it has one of its name, or as far from the end. */
function switchWay(view, way) {
    const {nodes} = recordingOf(view), {name} = nodes[view.chosen];
    const fromEnd = nodes.length - view.chosen, isBehind = view.chosen > indexOf(view, "z");
    view.way = way;
    if (name) view.chosen = indexOf(view, name);
    else if (isBehind) view.chosen = recordingOf(view).nodes.length - fromEnd;
    buildGraph(view);
    placeGraph(view);
    say(view);
}

// --- Nodes and arrows --------------------------------------------------------------------------------------------------

/** Everything but parameters, which the panel lists with the op that uses them. */
function buildGraph(view) {
    const {nodes} = recordingOf(view), graph = view.find(".graph");
    const isDrawn = ({kind}) => kind !== "parameter";
    graph.replaceChildren();
    view.svg = shape(graph, "svg", {"aria-hidden": "true"});
    view.indices = nodes.map((_, i) => i).filter((i) => isDrawn(nodes[i]));
    view.arrows = view.indices.flatMap((to) =>
        nodes[to].inputs.filter(({from}) => isDrawn(nodes[from])).map(({from, cut}) => ({from, to, cut})));
    view.buttons = [];
    for (const i of view.indices) view.buttons[i] = addNode(view, graph, i);
    showGradients(view);
}

function addNode(view, graph, index) {
    const node = recordingOf(view).nodes[index];
    const box = button(graph, "", () => chooseNode(view, index), `node ${node.kind}`);
    box.dataset.index = index;
    box.dataset.name = node.name;
    box.title = node.expression;
    const canvas = element(box, "canvas");
    if (!paintValue(canvas, node)) canvas.remove();
    else canvas.className = canvas.height * 2 > canvas.width ? "square" : "strip";
    const text = element(box, "span", "text");
    appendName(element(text, "b"), nodeName(node));
    if (node.name && node.op) appendName(element(text, "span", "op"), node.op);
    const [number] = node.value.values?.numbers ?? [];
    const isNumber = node.value.shape.length === 0 && number !== undefined;
    element(text, "span", "shape", isNumber ? `= ${sizeText(number)}` : shapeText(node.value.shape));
    element(text, "span", "size");
    return box;
}

/** A name that may be broken into lines behind each underscore. */
function appendName(parent, name) {
    name.split(/(?<=_)/).forEach((part, i) => {
        if (i > 0) element(parent, "wbr");
        parent.append(part);
    });
}

/** Which nodes and arrows are live changes with the loss; where they stand does not. */
function showGradients(view) {
    const {nodes} = recordingOf(view);
    for (const i of view.indices) {
        const node = nodes[i], {norm} = node.gradients[view.loss], box = view.buttons[i];
        const cuts = view.arrows.some((arrow) => arrow.to === i && isCutArrow(view, arrow));
        box.classList.toggle("flows", norm !== undefined);
        box.classList.toggle("cuts", cuts);
        box.classList.toggle("loss", recordingOf(view).losses[view.loss] === i);
        box.querySelector(".size").textContent = norm === undefined ? (cuts ? "cuts it off" : "no gradient")
                                                                    : `gradient ${sizeText(norm)}`;
        const words = [nodeName(node), node.name && node.op, `shape ${shapeText(node.value.shape)}`,
                       norm === undefined ? "no gradient" : `norm of the gradient ${sizeText(norm)}`,
                       cuts && "cuts the gradient off"];
        box.setAttribute("aria-label", words.filter(Boolean).join(", "));
    }
    explain(view);
    chooseNode(view, view.chosen);
}

/** Chooses a node; `focus` where another part of the page asked for it. */
function chooseNode(view, index, focus = false) {
    view.chosen = index;
    for (const i of view.indices) {
        view.buttons[i].setAttribute("aria-pressed", String(i === index));
        view.buttons[i].tabIndex = i === index ? 0 : -1;
    }
    if (focus) view.buttons[index].focus();
    const live = view.arrows.filter((arrow) => isLiveArrow(view, arrow));
    const onWay = new Set([index]);
    for (const {from, to} of live) if (onWay.has(from)) onWay.add(to);  // arrows are in the order of their ends
    view.onWay = onWay;
    view.lost = isLive(view, index) ? new Set() : lostWay(view, index);
    drawArrows(view);
    showPanel(view);
}

/** The nodes on the ways from a node to where an op cuts its gradient off. */
function lostWay(view, index) {
    const after = new Set([index]), before = new Set();
    for (const {from, to, cut} of view.arrows) if (after.has(from) && !cut) after.add(to);
    for (const arrow of [...view.arrows].reverse()) {
        if (isCutArrow(view, arrow) || before.has(arrow.to)) before.add(arrow.from);
    }
    return new Set([...after].filter((i) => before.has(i)));
}

/** Measures the nodes and puts them at their places. */
function placeGraph(view) {
    const frame = view.find(".graph-frame"), graph = view.find(".graph");
    if (frame.clientWidth < LEAST_SIZE) return;
    const isNarrow = frame.clientWidth < NARROW_GRAPH;
    graph.classList.toggle("narrow", isNarrow);
    const boxes = view.indices.map((i) => view.buttons[i]);
    const sizes = boxes.map((box) => ({width: box.offsetWidth, height: box.offsetHeight}));
    const number = new Map(view.indices.map((index, i) => [index, i]));
    const arrows = view.arrows.map(({from, to}) => ({from: number.get(from), to: number.get(to)}));
    const {places, paths, width, height} = layOut(sizes, arrows, isNarrow ? NARROW_GAP : GRAPH_GAP,
                                                    frame.clientWidth);
    boxes.forEach((box, i) => {
        box.style.left = `${places[i].x - sizes[i].width / 2}px`;
        box.style.top = `${places[i].y}px`;
    });
    view.arrows.forEach((arrow, i) => (arrow.path = paths[i]));
    Object.assign(graph.style, {width: `${width}px`, height: `${height}px`});
    for (const [name, value] of Object.entries({width, height})) view.svg.setAttribute(name, value);
    drawArrows(view);
}

/** Arrows point the way the values went; on the way of the chosen node's gradient they point back. */
function drawArrows(view) {
    view.svg.replaceChildren();
    if (!view.arrows.every(({path}) => path)) return;
    const modules = drawModules(view);
    const norms = view.indices.map((i) => recordingOf(view).nodes[i].gradients[view.loss].norm).filter((norm) => norm > 0);
    const [low, high] = [Math.min(...norms), Math.max(...norms)].map(Math.log);
    for (const arrow of view.arrows) {
        const live = isLiveArrow(view, arrow), onWay = live && view.onWay.has(arrow.from);
        const {norm} = recordingOf(view).nodes[arrow.from].gradients[view.loss];
        const share = live && norm > 0 && high > low ? (Math.log(norm) - low) / (high - low) : 0;
        const isLost = view.lost.has(arrow.from) && (view.lost.has(arrow.to) || isCutArrow(view, arrow));
        const words = ["arrow", live ? "flows" : "none", onWay && "on-way", isLost && "lost"].filter(Boolean);
        const width = live ? 1.5 + 4.5 * share : isLost ? 2 : 1.25;
        const group = shape(view.svg, "g", {class: words.join(" ")});
        shape(group, "path", {d: curve(arrow.path), class: "stem", style: `stroke-width: ${width}px`});
        drawHead(group, onWay ? arrow.path[0] : arrow.path.at(-1), onWay ? -1 : 1, 4 + width / 2);
        if (isCutArrow(view, arrow)) drawCut(group, arrow.path.at(-1));
    }
    for (const {name, x, y} of modules) shape(view.svg, "text", {x, y, class: "module-name"}, name);
}

/** Through all points, leaving and reaching each vertically. */
function curve([[x, y], ...others]) {
    let d = `M ${x} ${y}`;
    for (const [toX, toY] of others) {
        const middle = (y + toY) / 2;
        d += ` C ${x} ${middle} ${toX} ${middle} ${toX} ${toY}`;
        [x, y] = [toX, toY];
    }
    return d;
}

function drawHead(group, [x, y], direction, size) {
    shape(group, "path", {d: `M ${x} ${y} l ${-size} ${-1.6 * size * direction} h ${2 * size} z`, class: "head"});
}

function drawCut(group, [x, y]) {
    shape(group, "path", {d: `M ${x - 12} ${y - 9} h 24`, class: "bar"});
}

/**
 * A soft box around the nodes of the encoder, and of the decoder: those with its parameters, and what lies between them.
 * Returns where their names go, on top of what crosses them.
 */
function drawModules(view) {
    const {nodes} = recordingOf(view);
    const moduleOf = (i) => nodes[i].module.split(".")[0];
    return Array.from(new Set(view.indices.map(moduleOf).filter(Boolean)), (name) => {
        const isOwn = (i) => moduleOf(i) === name;
        const after = new Set(view.indices.filter(isOwn)), before = new Set(after);
        for (const {from, to} of view.arrows) if (after.has(from)) after.add(to);
        for (const {from, to} of [...view.arrows].reverse()) if (before.has(to)) before.add(from);
        const boxes = view.indices.filter((i) => after.has(i) && before.has(i)).map((i) => view.buttons[i]);
        const left = Math.min(...boxes.map((box) => box.offsetLeft)) - 8;
        const top = Math.min(...boxes.map((box) => box.offsetTop)) - 22;  // room for the name
        const right = Math.max(...boxes.map((box) => box.offsetLeft + box.offsetWidth)) + 8;
        const bottom = Math.max(...boxes.map((box) => box.offsetTop + box.offsetHeight)) + 8;
        shape(view.svg, "rect", {x: left, y: top, width: right - left, height: bottom - top, rx: 12, class: "module"});
        return {name, x: left + 8, y: top + 15};
    });
}

// --- Keys --------------------------------------------------------------------------------------------------------------

/** Up and down along arrows, left and right to what stands beside. */
function moveFocus(view, event) {
    const from = view.buttons.indexOf(document.activeElement);
    if (from < 0) return;
    const to = {
        ArrowUp: () => view.arrows.find((arrow) => arrow.to === from)?.from,
        ArrowDown: () => view.arrows.find((arrow) => arrow.from === from)?.to,
        ArrowLeft: () => besideOf(view, from, -1),
        ArrowRight: () => besideOf(view, from, 1),
        Home: () => view.indices[0],
        End: () => view.indices.at(-1),
    }[event.key]?.();
    if (to === undefined) return;
    event.preventDefault();
    for (const i of view.indices) view.buttons[i].tabIndex = i === to ? 0 : -1;
    view.buttons[to].focus();
}

/** The nearest node to one side, where a pixel down or up counts as four to the side. */
function besideOf(view, index, direction) {
    const middle = (i) => {
        const {offsetLeft, offsetTop, offsetWidth, offsetHeight} = view.buttons[i];
        return [offsetLeft + offsetWidth / 2, offsetTop + offsetHeight / 2];
    };
    const [x, y] = middle(index);
    const distance = (i) => Math.abs(middle(i)[0] - x) + 4 * Math.abs(middle(i)[1] - y);
    const beside = view.indices.filter((i) => direction * (middle(i)[0] - x) > 8);
    return beside.reduce((best, i) => (best === undefined || distance(i) < distance(best) ? i : best), undefined);
}

// --- Words -------------------------------------------------------------------------------------------------------------

/** What this way of drawing z does to the gradient of the reconstruction, whose way is through z alone. */
function explain(view) {
    const box = view.find(".explanation");
    box.replaceChildren();
    const {code} = recordingOf(view);
    element(element(box, "p"), "code", "", `z = ${code}`);
    const reasons = ["mu", "log variance"].map((name) => recordingOf(view).nodes[indexOf(view, name)].gradients[0].why_none);
    if (!reasons.some(Boolean)) {
        element(box, "p", "", "The noise is a leaf, from which no gradient is asked. z is arithmetic on mu, sigma and the " +
            "noise, so the gradient of the reconstruction passes through z to mu and to the log variance, and on into the " +
            "encoder.");
        return;
    }
    element(box, "p", "", "The same numbers, and so the same losses. But asked for the gradient of the reconstruction in mu " +
        "and in the log variance, the library answers:");
    for (const reason of reasons.filter(Boolean)) element(box, "p", "why", reason);
    element(box, "p", "", "The KL divergence alone still reaches the encoder, and it does not know what the decoder draws.");
}

/** What a switch has changed, for those who hear the page. */
function say(view) {
    const {nodes} = recordingOf(view), mu = nodes[indexOf(view, "mu")].gradients[view.loss];
    const loss = view.computation.losses[view.loss];
    view.find(".live").textContent = mu.norm === undefined
        ? `No gradient of the ${loss} in mu. ${mu.why_none}`
        : `The gradient of the ${loss} in mu has the norm ${sizeText(mu.norm)}.`;
}
