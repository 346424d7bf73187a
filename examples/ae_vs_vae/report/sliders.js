// The sliders of an explorer, one for each number of its codes, and beside each where the models' own codes lie.

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
