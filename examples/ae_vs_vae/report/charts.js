// Charts as SVG: losses, KL divergence by dimension, rate and distortion.

const SVG = document.getElementById("svg").namespaceURI;

function shape(parent, tag, attributes, text = "") {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== "") node.textContent = text;
    parent.append(node);
    return node;
}

/** About `count` round numbers between low and high, as {value, text}. */
function ticks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
    const result = [];
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; ++i) {
        const value = i * step;
        const text = high < 1e6 ? fixed(value, digits) : Number(value.toPrecision(2)).toExponential();  // diverged
        result.push({value, text});
    }
    return result;
}

const CHART = {height: 250, left: 36, right: 14, top: 28, bottom: 42};  // in CSS pixels

/** A figure that draws itself anew for each width: draw(frame), where frame has the svg and x(value), y(value) in pixels. */
function addChart(parent, {title, xLabel, yLabel, xRange, yRange, xTicks}, drawInside) {
    const figure = element(parent, "figure", "chart");
    element(figure, "figcaption", "", title);
    const plot = element(figure, "div");
    new ResizeObserver(() => {
        const width = plot.clientWidth;
        plot.replaceChildren();
        if (width < LEAST_SIZE) return;
        const name = `${title}: ${yLabel}, by ${xLabel}`;
        const svg = shape(plot, "svg", {width, height: CHART.height, role: "img", "aria-label": name});
        const scale = ([low, high], start, end) => (value) => start + ((value - low) / (high - low)) * (end - start);
        const frame = {
            svg, width,
            x: scale(xRange, CHART.left, width - CHART.right),
            y: scale(yRange, CHART.height - CHART.bottom, CHART.top),
        };
        drawFrame(frame, {xLabel, yLabel, xRange, yRange, xTicks});
        drawInside(frame);
    }).observe(plot);
}

function drawFrame({svg, width, x, y}, {xLabel, yLabel, xRange, yRange, xTicks}) {
    const bottom = CHART.height - CHART.bottom;
    for (const {value, text} of ticks(...yRange, 5)) {
        shape(svg, "line", {x1: CHART.left, x2: width - CHART.right, y1: y(value), y2: y(value), class: "grid"});
        shape(svg, "text", {x: CHART.left - 7, y: y(value) + 4, "text-anchor": "end"}, text);
    }
    for (const {value, text} of xTicks ?? ticks(...xRange, 5)) {
        shape(svg, "text", {x: x(value), y: bottom + 17, "text-anchor": "middle"}, text);
    }
    shape(svg, "line", {x1: CHART.left, x2: width - CHART.right, y1: bottom, y2: bottom, class: "axis"});
    const middle = (CHART.left + width - CHART.right) / 2;
    shape(svg, "text", {x: middle, y: CHART.height - 6, "text-anchor": "middle", class: "name"}, xLabel);
    shape(svg, "text", {x: 0, y: 12, class: "name"}, yLabel);
}

/** Every so many of the numbers 1 to count, as ticks. */
function countingTicks(count) {
    const step = Math.ceil(count / 10);
    return Array.from({length: Math.floor(count / step)}, (_, i) => ({value: (i + 1) * step, text: String((i + 1) * step)}));
}

/** A range that holds all values, with some room. */
function padded(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const room = 0.08 * (high - low || Math.abs(high) || 1);
    return [low - room, high + room];
}

/** One quantity of both models, or of one, against the epochs. */
function addLossChart(parent, title, curves, quantity, models, floor) {
    const series = models.flatMap((model) => ["train", "test"].map((split) => ({
        model, split, values: curves[model].map((epoch) => epoch[split][quantity]),
    }))).filter(({values}) => values.length > 0);
    if (series.length === 0) return;
    const all = series.flatMap(({values}) => values);
    const epochs = Math.max(...series.map(({values}) => values.length));
    addChart(parent, {
        title, xLabel: "epoch", yLabel: "nats per image",
        xRange: [1 - 0.04 * epochs, epochs + 0.04 * epochs],
        yRange: padded(floor === null ? all : [...all, floor - 0.15 * (Math.max(...all) - floor)]),
        xTicks: countingTicks(epochs),
    }, (frame) => {
        if (floor !== null) drawFloor(frame, floor);
        series.forEach((each) => drawSeries(frame, each));
    });
}

function drawFloor({svg, width, y}, floor) {
    shape(svg, "line", {x1: CHART.left, x2: width - CHART.right, y1: y(floor), y2: y(floor), class: "floor"});
    const text = `least possible: ${fixed(floor, 1)}, the pixels’ entropy`;
    shape(svg, "text", {x: width - CHART.right, y: y(floor) + 15, "text-anchor": "end", class: "on-lines"}, text);
}

function drawSeries({svg, x, y}, {model, split, values}) {
    const points = values.map((value, i) => `${x(i + 1)},${y(value)}`).join(" ");
    shape(svg, "polyline", {points, class: `line ${model} ${split}`});
    values.forEach((value, i) => {
        const dot = shape(svg, "circle", {cx: x(i + 1), cy: y(value), r: 3, class: `dot ${model} ${split}`});
        shape(dot, "title", {}, `${NAMES[model]}, ${split}, epoch ${i + 1}: ${fixed(value, 2)} nats per image`);
    });
}

function addCurves() {
    if (report.curves.length === 0) return;
    const charts = openSection("curves", ".charts");
    const legend = document.getElementById("curve-legend");
    for (const model of MODELS) {
        for (const split of ["test", "train"]) {
            const item = element(legend, "li", "");
            element(item, "i", `stroke ${model} ${split}`);
            item.append(`${NAMES[model]}, ${split === "test" ? "test" : "training"} pictures`);
        }
    }
    for (const curves of report.curves) {
        const heading = element(charts, "h3", "", curves.title);
        heading.after(element(charts, "p", "last", lastEpochSentence(curves)));
        addLossChart(charts, "Reconstruction, AE and VAE", curves, "reconstruction", MODELS, curves.floor);
        addLossChart(charts, "KL divergence, VAE", curves, "kl", ["vae"], null);
        addLossChart(charts, "Whole loss, VAE", curves, "loss", ["vae"], null);
    }
}

function lastEpochSentence(curves) {
    const parts = MODELS.filter((model) => curves[model].length > 0).map((model) => {
        const {reconstruction, kl} = curves[model][curves[model].length - 1].test;
        const extra = model === "vae" ? `, and its KL divergence is ${fixed(kl, 1)}` : "";
        return `the ${NAMES[model]} reconstructs test pictures at ${fixed(reconstruction, 1)} nats per image${extra}`;
    });
    return `After the last epoch, ${parts.join("; ")}.`;
}

function addKlChart(parent, explorer) {
    if (explorer.kl.length === 0) return;
    const sorted = [...explorer.kl].sort((a, b) => b - a);
    const used = sorted.filter((kl) => kl >= 0.01).length;
    addChart(parent, {
        title: `Codes of ${sorted.length} numbers: the VAE uses ${used} (KL at least 0.01)`,
        xLabel: "dimension of z, the most used first", yLabel: "KL divergence, nats per image",
        xRange: [0.4, sorted.length + 0.6], yRange: [0, 1.08 * Math.max(...sorted, 0.01)],
        xTicks: countingTicks(sorted.length),
    }, ({svg, x, y}) => sorted.forEach((kl, i) => {
        const width = Math.min(0.7 * (x(1) - x(0)), 40);
        const bar = shape(svg, "rect", {x: x(i + 1) - width / 2, width, y: y(kl), height: y(0) - y(kl), class: "bar vae"});
        shape(bar, "title", {}, `${fixed(kl, 3)} nats`);
    }));
}

function addBetaChart(parent) {
    if (report.beta.length === 0) return;
    const points = [...report.beta].sort((a, b) => a.rate - b.rate);
    addChart(parent, {
        title: "The price of order: VAEs with the KL divergence weighted by β",
        xLabel: "rate: KL divergence, nats per image", yLabel: "distortion, nats per image",
        xRange: [0, 1.1 * Math.max(...points.map(({rate}) => rate), 1e-3)],
        yRange: padded(points.map(({distortion}) => distortion)),
    }, ({svg, width, x, y}) => {
        const corners = points.map((p) => `${x(p.rate)},${y(p.distortion)}`).join(" ");
        shape(svg, "polyline", {points: corners, class: "line vae test"});
        const labels = points.map((p) => {
            const dot = shape(svg, "circle", {cx: x(p.rate), cy: y(p.distortion), r: 4, class: "dot vae test"});
            const numbers = `rate ${fixed(p.rate, 1)}, distortion ${fixed(p.distortion, 1)}, ${p.active_units} active units`;
            shape(dot, "title", {}, `β ${p.beta}: ${numbers}`);
            const label = shape(svg, "text", {"text-anchor": "middle", class: "name on-lines"}, `β = ${p.beta}`);
            const length = label.getComputedTextLength() + 4;
            const middle = Math.min(x(p.rate) + 6 + length / 2, width - length / 2);
            return {label, x: middle, y: y(p.distortion) - 12, width: length, height: 14};
        });
        for (const {label, x: left, y: top} of withoutOverlap(labels, [0, -1, -2, -3])) {
            label.setAttribute("x", left);
            label.setAttribute("y", top + 4);
        }
        labels.filter(({label}) => !label.hasAttribute("x")).forEach(({label}) => label.remove());
    });
}

function addCapacity() {
    if (report.beta.length === 0 && report.explorers.every(({kl}) => kl.length === 0)) return;
    const charts = openSection("capacity", ".charts");
    report.explorers.forEach((explorer) => addKlChart(charts, explorer));
    addBetaChart(charts);
}
