// The film of a training: where the codes of the same pictures lie, what the same random codes are decoded to, and the losses,
// frame after frame. Maps are drawn by map.js.

const SECONDS_A_FRAME = 0.7, MOVING_SHARE = 0.6;  // of that time, in which dots move to the next frame's places

function addFilms() {
    return report.explorers.filter(({ae_film: ae, vae_film: vae}) => ae.length > 0 && vae.length > 0).map((explorer) => {
        const parent = openSection("film", ".films"), fragment = fromTemplate("film-template");
        const root = fragment.querySelector(".film");
        parent.append(fragment);
        return makeFilm(explorer, root);
    });
}

function makeFilm(explorer, root) {
    const find = (selector) => root.querySelector(selector);
    const films = {ae: explorer.ae_film, vae: explorer.vae_film};
    const begin = Math.max(films.ae[0].step, films.vae[0].step);  // from here on there is a frame of both
    const steps = [...films.ae, ...films.vae].map(({step}) => step).filter((step) => step >= begin);
    const view = {
        explorer, root, find, films,
        steps: [...new Set(steps)].sort((a, b) => a - b),
        position: 0,  // a frame's number; between two while it plays
        playing: false,
        codes: {ae: null, vae: null}, maps: {},
        marks: new Map(),  // what moves the line in each chart to the position
    };
    const hasMaps = films.ae[0].codes.shape[0] > 0;
    find(".maps").hidden = find(".zoom").hidden = find(".classes").hidden = find(".maps-note").hidden = !hasMaps;
    if (hasMaps) {
        for (const model of MODELS) view.maps[model] = {base: find(`.map.${model} .base`), size: 0, window: PRIOR_WINDOW};
        addWindowChoice(view);
    }
    view.redrawMaps = () => showFrame(view, view.position);
    find(".film-note").textContent = explorer.film_note;
    addFilmControls(view);
    addFilmChart(view, "Reconstruction, AE and VAE", MODELS, "reconstruction");
    addFilmChart(view, "KL divergence, VAE", ["vae"], "kl");
    new ResizeObserver(() => view.redrawMaps()).observe(find(".maps"));
    showFrame(view, 0);
    return view;
}

function addWindowChoice(view) {
    const windowOfFilms = (models) => ({
        centre: [0, 0],
        extent: 1.05 * models.flatMap((model) => view.films[model]).reduce(
            (most, {codes}) => codes.values.reduce((a, b) => Math.max(a, Math.abs(b)), most), PRIOR_WINDOW.extent),
    });
    const windows = {prior: () => PRIOR_WINDOW, all: () => windowOfFilms(MODELS), own: (model) => windowOfFilms([model])};
    for (const radio of view.root.querySelectorAll(".zoom input")) {
        radio.name = `zoom-film-${document.querySelectorAll(".film").length}`;
        radio.addEventListener("change", () => {
            for (const model of MODELS) view.maps[model].window = windows[radio.value](model);
            view.redrawMaps();
        });
    }
}

function addFilmControls(view) {
    const slider = view.find(".frames"), play = view.find(".play");
    Object.assign(slider, {max: view.steps.length - 1, value: 0});
    slider.addEventListener("input", () => {
        stopFilm(view);
        showFrame(view, Number(slider.value));
    });
    play.addEventListener("click", () => (view.playing ? stopFilm(view) : playFilm(view)));
    document.addEventListener("visibilitychange", () => document.hidden && stopFilm(view));
}

function stopFilm(view) {
    view.playing = false;
    view.find(".play").textContent = "Play";
}

function playFilm(view) {
    const last = view.steps.length - 1;
    let from = view.position >= last ? 0 : Math.floor(view.position), start = null;
    view.playing = true;
    view.find(".play").textContent = "Pause";
    showFrame(view, from);
    const tick = (time) => {
        if (!view.playing) return;
        start ??= time;
        const frames = (time - start) / 1000 / SECONDS_A_FRAME, whole = Math.floor(frames);
        const moved = Math.max(0, (frames - whole - 1 + MOVING_SHARE) / MOVING_SHARE);
        showFrame(view, Math.min(from + whole + moved, last));
        if (view.position < last) requestAnimationFrame(tick);
        else stopFilm(view);
    };
    requestAnimationFrame(tick);
}

/** The last frame of a film up to a step: a training that stopped earlier stays at its end. */
function frameAt(film, step) {
    return film.filter((frame) => frame.step <= step).at(-1);
}

/** Codes on the straight way from one frame's to the next one's. */
function codesBetween(film, before, after, share) {
    const from = frameAt(film, before).codes, to = frameAt(film, after).codes;
    if (share === 0) return from;
    return {shape: from.shape, values: from.values.map((value, i) => value + share * (to.values[i] - value))};
}

/** Shows a position of the film: the dots of between two frames, and all else of the frame before it. */
function showFrame(view, position) {
    view.position = position;
    const index = Math.floor(position), step = view.steps[index], next = view.steps[Math.min(index + 1, view.steps.length - 1)];
    for (const model of MODELS) {
        const frame = frameAt(view.films[model], step);
        if (view.maps[model]) {
            view.codes[model] = codesBetween(view.films[model], step, next, position - index);
            paintMap(view, model, 0);
            const inside = countInside(view, model), all = view.codes[model].shape[0];
            view.find(`.map.${model} .inside`).textContent = inside < all ? `${inside} of ${all} on this map` : "all on this map";
        }
        showDecoded(view, model, frame.pictures);
    }
    if (view.maps.ae) fillClassLegend(view.find(".classes"));
    const sentence = frameSentence(view, step);
    view.find(".frames").value = index;
    view.find(".frames").setAttribute("aria-valuetext", sentence);
    view.find(".status").textContent = sentence;
    view.marks.forEach((move) => move());
}

function countInside({codes, maps}, model) {
    const {values} = codes[model], {centre, extent} = maps[model].window;
    let inside = 0;
    for (let i = 0; i < values.length; i += 2) {
        inside += Math.abs(values[i] - centre[0]) <= extent && Math.abs(values[i + 1] - centre[1]) <= extent;
    }
    return inside;
}

function showDecoded(view, model, pictures) {
    const strip = view.find(`.decoded.${model} .strip`), {rows, columns} = report.test;
    while (strip.children.length < pictures.shape[0]) element(strip, "canvas").setAttribute("role", "presentation");
    for (let i = 0; i < pictures.shape[0]; ++i) {
        const pixels = row(pictures, i);
        paintGrey(strip.children[i], rows, columns, (k) => pixels[k]);
    }
}

function frameSentence({films}, step) {
    const ae = frameAt(films.ae, step).loss, vae = frameAt(films.vae, step).loss;
    const after = step === 0 ? "Before training" : `After ${step} step${step === 1 ? "" : "s"}`;
    return `${after}: the AE’s loss, which is its reconstruction, ${fixed(ae.loss, 1)} nats per image; the VAE’s loss ` +
        `${fixed(vae.loss, 1)}, its reconstruction ${fixed(vae.reconstruction, 1)}, its KL ${fixed(vae.kl, 2)}.`;
}

function addFilmChart(view, title, models, quantity) {
    const {steps, films} = view, every = Math.ceil(steps.length / 8);
    const lines = models.map((model) => ({
        model,
        points: steps.map((step, i) => [i, films[model].find((frame) => frame.step === step)?.loss[quantity]])
            .filter(([, loss]) => loss !== undefined),
    }));
    addChart(view.find(".charts"), {
        title, xLabel: "training steps, frame by frame", yLabel: "nats per image",
        xRange: [0, Math.max(steps.length - 1, 1)], yRange: padded(lines.flatMap(({points}) => points.map(([, loss]) => loss))),
        xTicks: steps.map((step, i) => ({value: i, text: String(step)})).filter((_, i) => i % every === 0),
    }, ({svg, x, y}) => {
        const mark = shape(svg, "line", {y1: CHART.top, y2: CHART.height - CHART.bottom, class: "mark"});
        for (const {model, points} of lines) {
            shape(svg, "polyline", {points: points.map(([i, loss]) => `${x(i)},${y(loss)}`).join(" "), class: `line ${model} test`});
            for (const [i, loss] of points) shape(svg, "circle", {cx: x(i), cy: y(loss), r: 2.5, class: `dot ${model} test`});
        }
        view.marks.set(title, () => ["x1", "x2"].forEach((end) => mark.setAttribute(end, x(view.position))));
        view.marks.get(title)();
    });
}
