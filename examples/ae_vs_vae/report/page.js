// Pictures, score tables and words, and the page put together.

function addGalleries() {
    if (report.galleries.length === 0) return;
    const parent = openSection("pictures", ".galleries");
    for (const {title, caption, grids} of report.galleries) {
        element(parent, "h3", "", title);
        element(parent, "p", "", caption);
        const single = grids.every(({images, across}) => images.shape[0] <= across);
        const box = element(parent, "div", single ? "grids stacked" : "grids");
        grids.forEach((grid) => addGrid(box, grid));
    }
}

function addGrid(parent, {label, images, across}) {
    const figure = element(parent, "figure");
    element(figure, "figcaption", label === "AE" || label === "VAE" ? label.toLowerCase() : "", label);
    const canvas = element(figure, "canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    const {rows, columns} = report.test, gap = 2;
    canvas.width = across * (columns + gap) - gap;
    canvas.height = Math.ceil(images.shape[0] / across) * (rows + gap) - gap;
    canvas.style.maxWidth = `${2 * canvas.width}px`;
    const context = canvas.getContext("2d"), cell = document.createElement("canvas");
    for (let i = 0; i < images.shape[0]; ++i) {
        const pixels = row(images, i);
        paintGrey(cell, rows, columns, (k) => pixels[k]);
        context.drawImage(cell, (i % across) * (columns + gap), Math.floor(i / across) * (rows + gap));
    }
}

/** From a score to the share of its column's width, logarithmic where the scores span too much for a linear one. */
function barScale(values) {
    const positive = values.filter((value) => value > 0);
    if (positive.length === 0) return {length: () => 0, logarithmic: false};
    const low = Math.min(...positive), high = Math.max(...positive);
    if (high / low < 50) return {length: (value) => Math.max(value, 0) / high, logarithmic: false};
    const start = Math.log(low / 2), end = Math.log(high);
    return {length: (value) => (value > 0 ? Math.max(0, (Math.log(value) - start) / (end - start)) : 0), logarithmic: true};
}

function addScoreTable(parent, {title, caption, columns, rows}) {
    element(parent, "h3", "", title);
    if (caption) element(parent, "p", "", caption);
    const frame = element(parent, "div", "table-frame");
    frame.tabIndex = 0;  // so that the arrow keys scroll it
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", title);
    const table = element(frame, "table", "scores");
    const scales = columns.map((_, c) => barScale(rows.map(({scores}) => scores[c]?.value).filter(Number.isFinite)));
    const head = element(element(table, "thead"), "tr");
    element(head, "th", "set", "What was scored");
    columns.forEach(({name, meaning, better}, c) => {
        const cell = element(head, "th", "", name);
        cell.scope = "col";
        cell.title = meaning;
        const arrow = {lower: "↓ lower is better", higher: "↑ higher is better", neither: ""}[better];
        element(cell, "small", "", [arrow, scales[c].logarithmic ? "log scale" : ""].filter(Boolean).join(", "));
    });
    const body = element(table, "tbody");
    for (const each of rows) addScoreRow(body, each, scales);
    const meanings = element(parent, "dl", "meanings");
    for (const {name, meaning} of columns.filter((column) => column.meaning)) {
        element(meanings, "dt", "", name);
        element(meanings, "dd", "", meaning);
    }
}

function addScoreRow(body, {set, model, floor, scores}, scales) {
    const known = {AE: "ae", VAE: "vae"}[model] ?? "";
    const line = element(body, "tr", floor ? "floor" : known);
    const head = element(line, "th", "set");
    head.scope = "row";
    if (model) element(head, "b", known, model);
    head.append(` ${set}`);
    scores.forEach((score, c) => {
        const cell = element(line, "td");
        if (score === null) return element(cell, "span", "none", "–");
        const text = element(cell, "span", "value", scoreText(score));
        if (score.standard_error !== null) {
            element(text, "small", "", ` ± ${scoreText({...score, value: score.standard_error})}`);
        }
        const track = element(cell, "div", "track");
        element(track, "i", "bar").style.width = `${100 * scales[c].length(score.value)}%`;
        if (score.standard_error !== null) addWhisker(track, score, scales[c]);
        return cell;
    });
}

/** As many digits as the standard error leaves: two of its own. Without one, three significant digits. */
function scoreText({value, standard_error: error}) {
    if (!error) return short(value);
    return fixed(value, Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(error)))));
}

/** Two standard errors to either side. */
function addWhisker(track, {value, standard_error: error}, scale) {
    const low = scale.length(value - 2 * error), high = Math.min(scale.length(value + 2 * error), 1);
    const whisker = element(track, "i", "whisker");
    whisker.style.left = `${100 * low}%`;
    whisker.style.width = `${100 * (high - low)}%`;
}

function addScores() {
    if (report.scores.length === 0) return;
    const parent = openSection("scores", ".tables");
    report.scores.forEach((table) => addScoreTable(parent, table));
}

function addWords() {
    document.getElementById("title").textContent = report.title;
    if (report.findings.length > 0) {
        const list = openSection("findings", "ol");
        report.findings.forEach((finding) => element(list, "li", "", finding));
    }
    if (report.settings.length > 0) {
        const list = openSection("settings", "dl");
        for (const [name, value] of report.settings) {
            element(list, "dt", "", name);
            element(list, "dd", "", value);
        }
    }
}

function addExplorers() {
    return report.explorers.map((explorer) => {
        const section = explorer.latent === 2 ? "plane" : "explore";
        return makeView(explorer, openSection(section, ".explorers"));
    });
}

// --- The page ----------------------------------------------------------------------------------------------------------

addWords();
const views = addExplorers();
addComputation();
addGalleries();
addCurves();
addScores();
addCapacity();

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => views.forEach((view) => view.redrawMaps?.()));

/** For tests, and for those who try things in the console. Explorers are counted from 0, models are "ae" and "vae". */
window.xtape = {
    report,
    explorers: views.length,
    decode: (explorer, model, z, label) => Array.from(decode(report.explorers[explorer], model, z, label)),
    point: (explorer) => ({ae: Array.from(views[explorer].z.ae), vae: Array.from(views[explorer].z.vae)}),
    setPoint: (explorer, z) => setPoint(views[explorer], z),
    draw: (explorer) => draw(views[explorer], PRIOR),
    selectImage: (explorer, index) => selectImage(views[explorer], index),
    resample: (explorer) => resample(views[explorer]),
    placeOf: (explorer, model, z) => toPlace(views[explorer], views[explorer].maps[model], z),
};
