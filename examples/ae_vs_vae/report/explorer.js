// An explorer: one pair of models to play with, by buttons and pictures. A view is an explorer on the page. Its point z is the
// same for both models, except where each has codes of its own: of a picture, or from a mixture. The pen is in drawing.js, the
// controls of z in sliders.js and, for codes of two dimensions, plane.js.

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
        image: null,     // index of the test picture that is encoded, or that a drawing began from
        picture: null,   // the pixels that are encoded, from 0 to 1; null while z is nobody's code
        drawn: false,    // whether a pen has changed them
        code: null,      // the AE's, of the picture
        posterior: null, // the VAE's q(z|x) of it: mean and logVariance
        sampler: PRIOR,  // what the history was drawn from
        history: [],     // of {z, label}, the latest first
        status: "",
        redrawControls: () => {},
    };
    find("h3").textContent = explorer.latent === 1 ? "A code of one number" : `Codes of ${explorer.latent} numbers`;
    addButtons(view);
    addLabelChoice(view);
    addThumbs(view);
    if (explorer.ae_encoder) addDrawing(view);
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
        (view.drawn ? showDrawing : update)(view);
    });
}

/** One test picture of each class, or ten where there is but one class, as buttons; and two that walk through all. */
function addThumbs(view) {
    const thumbs = view.find(".thumbs"), count = report.test.pixels.shape[0];
    const seen = new Set(), oneClass = report.test.class_names.length === 1;
    for (let i = 0; i < count && seen.size < 10; ++i) {
        const kind = oneClass ? i : report.test.labels[i];
        if (seen.has(kind)) continue;
        seen.add(kind);
        const thumb = button(thumbs, "", () => selectImage(view, i), "thumb");
        thumb.title = className(i);
        thumb.setAttribute("aria-label", `Encode: ${className(i)}`);
        thumb.dataset.image = i;
        paintTestImage(element(thumb, "canvas"), i);
    }
    view.find(".encode-title").hidden = seen.size === 0;
    if (count === 0) return;
    const walk = (step) => selectImage(view, ((view.image ?? (step < 0 ? 0 : -1)) + step + count) % count);
    button(view.find(".walk"), "Previous", () => walk(-1), "previous").setAttribute("aria-label", "Previous test picture");
    button(view.find(".walk"), "Next", () => walk(1), "next").setAttribute("aria-label", "Next test picture");
}

/** Codes of both models: the same from N(0, I), each model's own from other samplers. */
function drawFrom(view, sampler) {
    if (sampler === PRIOR) {
        const z = Float32Array.from({length: view.explorer.latent}, normal);
        return {ae: z, vae: z.slice()};
    }
    const all = Array.from({length: sampler.ae.shape[0]}, (_, i) => i);
    const fitting = sampler.labels.length > 0 ? all.filter((i) => sampler.labels[i] === view.label) : all;
    if (fitting.length === 0) return drawFrom(view, PRIOR);  // of a class without pictures
    const pick = (codes) => row(codes, fitting[Math.floor(uniform() * fitting.length)]).slice();
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
    forgetPicture(view);
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
    forgetPicture(view);
    view.status = "z was set by hand, the same for both.";
    update(view);
}

/** z is no longer the code of a picture. */
function forgetPicture(view) {
    keepDrawing(view);
    Object.assign(view, {image: null, picture: null, drawn: false, code: null, posterior: null});
}

/** Encodes a test picture: the AE to its code, the VAE to the mean of q(z|x). */
function selectImage(view, index) {
    const {explorer} = view;
    keepDrawing(view);
    Object.assign(view, {
        image: index,
        picture: Float32Array.from(row(report.test.pixels, index), (grey) => grey / 255),
        drawn: false,
        label: report.test.labels[index],
        code: row(explorer.ae_code, index).slice(),
        posterior: {mean: row(explorer.vae_mean, index), logVariance: row(explorer.vae_log_variance, index)},
    });
    showCodes(view);
}

/** Puts each model at its code of the picture. */
function showCodes(view) {
    view.z = {ae: view.code.slice(), vae: view.posterior.mean.slice()};
    view.status = "AE: the picture’s code. VAE: the mean of its q(z|x).";
    update(view);
}

/** A new draw from q(z|x) of the encoded picture. The AE has nothing to draw: it keeps its code. */
function resample(view) {
    if (!view.posterior) return;
    const {mean, logVariance} = view.posterior;
    view.z = {ae: view.code.slice(), vae: mean.map((value, i) => value + Math.exp(0.5 * logVariance[i]) * normal())};
    view.status = "AE: the picture’s code, always the same. VAE: a draw from its q(z|x).";
    update(view);
}

function describe(z) {
    return `(${Array.from(z, (value) => fixed(value, 2)).join(", ")})`;
}

function pictureCaption({image, drawn, explorer}) {
    if (drawn) return image === null ? "your drawing" : `${className(image)}, changed by you`;
    if (image !== null) return `test picture: ${className(image)}`;
    return explorer.ae_encoder ? "draw here" : "no test picture chosen";
}

/** Decodes and shows everything anew. */
function update(view) {
    for (const model of MODELS) {
        const canvas = view.find(`.output.${model} canvas`);
        paintProbabilities(canvas, decode(view.explorer, model, view.z[model], view.label));
        canvas.setAttribute("aria-label", `What the ${NAMES[model]}'s decoder draws`);
    }
    const caption = pictureCaption(view), chosen = view.picture !== null, canvas = view.find(".output.test canvas");
    view.find(".output.test").classList.toggle("chosen", chosen);
    view.find(".output.test figcaption").textContent = caption;
    if (!view.explorer.ae_encoder) canvas.setAttribute("aria-label", caption);
    paintProbabilities(canvas, view.picture ?? new Float32Array(report.test.rows * report.test.columns));
    view.resampleButton.disabled = !chosen;
    for (const thumb of view.root.querySelectorAll(".thumb")) {
        thumb.setAttribute("aria-pressed", String(Number(thumb.dataset.image) === view.image && !view.drawn));
    }
    view.find(".label-choice select").value = view.label;
    view.find(".status").textContent = view.status;
    view.redrawControls();
}
