// An explorer: one pair of models to play with, by buttons, test pictures and sliders. A view is an explorer on the page.
// Its point z is the same for both models, except where each has codes of its own: of a test picture, or from a mixture. The
// maps of two-dimensional codes are in plane.js.

const PRIOR = {name: "N(0, I)"};
const HISTORY = 10;

function makeView(explorer, parent) {
    const fragment = fromTemplate("explorer-template");
    const root = fragment.querySelector(".explorer");
    parent.append(fragment);
    const find = (selector) => root.querySelector(selector);
    const view = {
        explorer, root, find,
        z: {ae: null, vae: null},
        label: 0,
        image: null,     // index of the test picture that is encoded
        sampler: PRIOR,  // what the history was drawn from
        history: [],     // of {z, label}, the latest first
        status: "",
        redrawControls: () => {},
    };
    find("h3").textContent = explorer.latent === 1 ? "A code of one number" : `Codes of ${explorer.latent} numbers`;
    addButtons(view);
    addLabelChoice(view);
    addThumbs(view);
    (explorer.latent === 2 ? addPlane : addSliders)(view);
    draw(view, PRIOR);
    return view;
}

function addButtons(view) {
    const buttons = view.find(".buttons");
    const choice = view.find(".label-choice");
    button(buttons, "Draw a random z", () => draw(view, PRIOR), "primary random");
    for (const sampler of view.explorer.draws) {
        button(buttons, `Draw z from ${sampler.name}`, () => draw(view, sampler), "other");
    }
    view.resampleButton = button(buttons, "Re-sample q(z|x)", () => resample(view), "resample");
    buttons.append(choice);
}

function addLabelChoice(view) {
    if (view.explorer.labels === 0) return;
    view.find(".label-choice").hidden = false;
    const select = view.find(".label-choice select");
    report.test.class_names.forEach((name, i) => (element(select, "option", "", name).value = i));
    select.addEventListener("change", () => {
        view.label = Number(select.value);
        update(view);
    });
}

/** One test picture of each class, as buttons. */
function addThumbs(view) {
    const thumbs = view.find(".thumbs");
    const seen = new Set();
    for (let i = 0; i < report.test.pixels.shape[0] && seen.size < 10; ++i) {
        if (seen.has(report.test.labels[i])) continue;
        seen.add(report.test.labels[i]);
        const thumb = button(thumbs, "", () => selectImage(view, i), "thumb");
        thumb.title = className(i);
        thumb.setAttribute("aria-label", `Encode: ${className(i)}`);
        thumb.dataset.image = i;
        paintTestImage(element(thumb, "canvas"), i);
    }
    view.find(".encode-title").hidden = seen.size === 0;
}

/** Codes of both models: the same from N(0, I), each model's own from other samplers. */
function drawFrom(view, sampler) {
    if (sampler === PRIOR) {
        const z = Float32Array.from({length: view.explorer.latent}, normal);
        return {ae: z, vae: z.slice()};
    }
    const pick = (codes) => row(codes, Math.floor(uniform() * codes.shape[0])).slice();
    return {ae: pick(sampler.ae), vae: pick(sampler.vae)};
}

function draw(view, sampler) {
    if (view.sampler !== sampler) view.history = [];
    view.sampler = sampler;
    do {
        view.history.unshift({z: drawFrom(view, sampler), label: view.label});
    } while (view.history.length < HISTORY);
    view.history.length = HISTORY;
    showDraw(view, 0);
    redrawHistory(view);
}

function showDraw(view, index) {
    const {z, label} = view.history[index];
    view.z = {ae: z.ae.slice(), vae: z.vae.slice()};
    view.label = label;
    view.image = null;
    view.status = `z was drawn from ${view.sampler.name}.`;
    update(view);
}

function redrawHistory(view) {
    view.find(".history-title").textContent = `The last ${HISTORY} draws, AE above, VAE below:`;
    const strip = view.find(".strip");
    strip.replaceChildren();
    view.history.forEach(({z, label}, i) => {
        const column = button(strip, "", () => showDraw(view, i), "draw");
        column.setAttribute("aria-label", `Show draw ${i + 1} again`);
        for (const model of MODELS) {
            paintProbabilities(element(column, "canvas"), decode(view.explorer, model, z[model], label));
        }
    });
}

/** Puts both models at z. */
function setPoint(view, z) {
    view.z = {ae: Float32Array.from(z), vae: Float32Array.from(z)};
    view.image = null;
    view.status = "z was set by hand, the same for both.";
    update(view);
}

/** Encodes a test picture: the AE to its code, the VAE to the mean of q(z|x). */
function selectImage(view, index) {
    view.image = index;
    view.label = report.test.labels[index];
    view.z = {ae: row(view.explorer.ae_code, index).slice(), vae: row(view.explorer.vae_mean, index).slice()};
    view.status = "AE: the picture’s code. VAE: the mean of its q(z|x).";
    update(view);
}

/** A new draw from q(z|x) of the encoded picture. The AE has nothing to draw: it keeps its code. */
function resample(view) {
    if (view.image === null) return;
    const mean = row(view.explorer.vae_mean, view.image);
    const logVariance = row(view.explorer.vae_log_variance, view.image);
    view.z = {
        ae: row(view.explorer.ae_code, view.image).slice(),
        vae: mean.map((value, i) => value + Math.exp(0.5 * logVariance[i]) * normal()),
    };
    view.status = "AE: the picture’s code, always the same. VAE: a draw from its q(z|x).";
    update(view);
}

function describe(z) {
    return `(${Array.from(z, (value) => fixed(value, 2)).join(", ")})`;
}

/** Decodes and shows everything anew. */
function update(view) {
    for (const model of MODELS) {
        const canvas = view.find(`.output.${model} canvas`);
        paintProbabilities(canvas, decode(view.explorer, model, view.z[model], view.label));
        canvas.setAttribute("aria-label", `What the ${NAMES[model]}'s decoder draws`);
    }
    const chosen = view.image !== null;
    const caption = chosen ? `test picture: ${className(view.image)}` : "no test picture chosen";
    view.find(".output.test").classList.toggle("chosen", chosen);
    view.find(".output.test figcaption").textContent = caption;
    view.find(".output.test canvas").setAttribute("aria-label", caption);
    paintTestImage(view.find(".output.test canvas"), view.image);
    view.resampleButton.disabled = !chosen;
    for (const thumb of view.root.querySelectorAll(".thumb")) {
        thumb.setAttribute("aria-pressed", String(Number(thumb.dataset.image) === view.image && chosen));
    }
    view.find(".label-choice select").value = view.label;
    view.find(".status").textContent = view.status;
    view.redrawControls();
}

// --- Sliders -----------------------------------------------------------------------------------------------------------

const LEAST_LIMIT = 4, MOST_LIMIT = 6;  // of a slider, to either side; codes beyond are drawn at its end

function addSliders(view) {
    const {explorer} = view;
    view.find(".controls").append(fromTemplate("sliders-template"));
    const order = Array.from({length: explorer.latent}, (_, i) => i);
    if (explorer.kl.length > 0) order.sort((a, b) => explorer.kl[b] - explorer.kl[a]);
    const vaeCodes = drawnCodes(explorer);
    const ranges = order.map((i) => ({ae: middleRange(explorer.ae_code, i), vae: middleRange(vaeCodes, i)}));
    const furthest = Math.max(...ranges.flatMap(({ae, vae}) => [...ae, ...vae].map(Math.abs)));
    const limit = Math.min(Math.max(LEAST_LIMIT, Math.ceil(furthest)), MOST_LIMIT);
    const sliders = order.map((i, place) => addSlider(view, i, limit, ranges[place]));
    view.redrawControls = () => sliders.forEach((slider) => slider.redraw());
}

/** From the 5th to the 95th of a hundred codes; nothing where there are no codes. */
function middleRange(codes, dimension) {
    const sorted = sortedColumn(codes, dimension);
    return sorted.length ? [quantile(sorted, 0.05), quantile(sorted, 0.95)] : [0, 0];
}

/** A draw from q(z|x) for each test picture. */
function drawnCodes({vae_mean: mean, vae_log_variance: logVariance}) {
    const values = mean.values.map((value, i) => value + Math.exp(0.5 * logVariance.values[i]) * normal());
    return {shape: mean.shape, values};
}

function addSlider(view, dimension, limit, ranges) {
    const box = element(view.find(".sliders"), "div", "slider");
    const name = element(box, "label", "", "z");
    element(name, "sub", "", String(dimension + 1));
    const input = element(name, "input");
    Object.assign(input, {type: "range", min: -limit, max: limit, step: 0.05});
    const value = element(box, "output");
    const kl = view.explorer.kl[dimension];
    if (kl !== undefined) element(box, "span", "kl", kl < 0.01 ? "unused" : `${fixed(kl, 2)} nats`);

    const percent = (z) => 50 + (50 * Math.min(Math.max(z, -limit), limit)) / limit;
    const lanes = element(box, "div", "lanes");
    const marks = {};
    for (const model of MODELS) {
        const lane = element(lanes, "div", `lane ${model}`);
        const bar = element(lane, "i", "range");
        bar.style.left = `${percent(ranges[model][0])}%`;
        bar.style.right = `${100 - percent(ranges[model][1])}%`;
        marks[model] = element(lane, "i", "mark");
    }
    input.addEventListener("input", () => {
        for (const model of MODELS) view.z[model][dimension] = Number(input.value);
        view.status = "This number was set by hand, the same for both.";
        update(view);
    });
    const redraw = () => {
        input.value = view.z.vae[dimension];
        value.textContent = fixed(view.z.vae[dimension], 2);
        input.setAttribute("aria-valuetext", value.textContent);
        for (const model of MODELS) marks[model].style.left = `${percent(view.z[model][dimension])}%`;
    };
    return {redraw};
}
