// Pictures and words, and the page put together.

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

function addWords() {
    document.getElementById("title").textContent = report.title;
    if (report.findings.length > 0) {
        const list = openSection("findings", "ol");
        report.findings.forEach((finding) => element(list, "li", "", finding));
    }
    if (report.settings.length > 0) {
        const list = openSection("settings", "dl"), megabytes = textOf("arrays").length / 1e6;
        const large = megabytes > 10 ? [["This page", `${fixed(megabytes, 0)} MB, most of them the networks’ weights`]] : [];
        for (const [name, value] of [...report.settings, ...large]) {
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

const textOf = (id) => document.getElementById(id).textContent;

function addAll() {
    addWords();
    const views = addExplorers();
    const films = addFilms();
    addComputation();
    addGalleries();
    addCurves();
    addScores();
    addCapacity();
    const colored = [...views, ...films];
    const redraw = () => colored.forEach((view) => view.redrawMaps?.());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

    /** For tests, and for those who try things in the console. Explorers are counted from 0, models are "ae" and "vae". */
    window.xtape = {
        report,
        explorers: views.length,
        decode: (explorer, model, z, label) => Array.from(decode(report.explorers[explorer], model, z, label)),
        encode: (explorer, model, pixels, label) => {
            const {mean, logVariance} = encode(report.explorers[explorer], model, pixels, label);
            return {mean: Array.from(mean), logVariance: logVariance && Array.from(logVariance)};
        },
        point: (explorer) => ({ae: Array.from(views[explorer].z.ae), vae: Array.from(views[explorer].z.vae)}),
        picture: (explorer) => views[explorer].picture && Array.from(views[explorer].picture),
        setPoint: (explorer, z) => setPoint(views[explorer], z),
        draw: (explorer) => draw(views[explorer], PRIOR),
        selectImage: (explorer, index) => selectImage(views[explorer], index),
        resample: (explorer) => resample(views[explorer]),
        placeOf: (explorer, model, z) => toPlace(views[explorer].maps[model], z),
        showFrame: (film, position) => showFrame(films[film], position),
        frame: (film) => films[film].position,
    };
}

unpack(textOf("data"), textOf("arrays")).then((unpacked) => {
    report = unpacked;
    addAll();
}).catch((error) => {
    const old = typeof DecompressionStream === "undefined" ? " Browsers of 2023 and later can unpack its data." : "";
    document.getElementById("title").textContent = `This page cannot be shown: ${error.message}.${old}`;
    throw error;
});
