// What is said of a chosen node of the tape: its expression, its numbers as a picture, its gradient and where that comes
// from. Which node is chosen, and the graph itself, are computation.js's business.

/** A size, however small. */
function sizeText(value) {
    return value !== 0 && value < 0.001 ? minus(value.toExponential(1)) : short(value);
}

const shapeText = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

/** What a node is called: by its name in textbooks, else by its op. */
function nodeName({name, op, kind}) {
    return name || op || kind;
}

/** The numbers of a shown array, from -1 to 1 in units of the largest magnitude; nothing where they are left out. */
function sharesOf({values}) {
    if (!values) return null;
    if (values.numbers) return values.numbers.map((value) => (values.most > 0 ? value / values.most : 0));
    return Array.from(values.bytes.values, (byte) => (byte - 128) / 127);
}

/** How an array is laid out for the eye: as the picture that it is, its feature maps beside each other, or in lines. */
function gridOf(shape) {
    const {rows, columns} = report.test;
    const size = shape.reduce((a, b) => a * b, 1);
    if (shape.length === 4 && shape[1] > 1) {
        const [, channels, height, width] = shape, across = Math.ceil(Math.sqrt(channels));
        const place = (i) => {
            const channel = Math.floor(i / (height * width)), inside = i % (height * width);
            const row = Math.floor(channel / across) * (height + 1) + Math.floor(inside / width);
            return [row, (channel % across) * (width + 1) + (inside % width)];
        };
        return {rows: Math.ceil(channels / across) * (height + 1) - 1, columns: across * (width + 1) - 1, place};
    }
    const across = size === rows * columns ? columns : Math.min(size, Math.max(8, Math.ceil(Math.sqrt(8 * size))));
    return {rows: Math.ceil(size / across), columns: across, place: (i) => [Math.floor(i / across), i % across]};
}

/** Numbers as colours: the AE's for those below zero, the VAE's for those above, none for zero. */
function paintShares(canvas, shares, grid) {
    canvas.width = grid.columns;
    canvas.height = grid.rows;
    const image = new ImageData(grid.columns, grid.rows);
    const colors = ["--ae", "--vae"].map((name) => cssColor(name).match(/[0-9a-f]{2}/g).map((digits) => parseInt(digits, 16)));
    shares.forEach((share, i) => {
        const [row, column] = grid.place(i);
        const alpha = Math.round(255 * Math.sqrt(Math.min(1, Math.abs(share))));  // small ones are seen too
        image.data.set([...colors[share < 0 ? 0 : 1], alpha], 4 * (row * grid.columns + column));
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
}

/** A node's value as a picture: grey where it is one, or means one, else in colours. False where there is nothing to paint. */
function paintValue(canvas, node) {
    const {rows, columns} = report.test;
    if (node.picture) {
        paintGrey(canvas, rows, columns, (i) => node.picture.values[i]);
        return true;
    }
    const shares = sharesOf(node.value);
    if (!shares || shares.length < 2) return false;
    if (node.name === "x" && shares.length === rows * columns) {
        paintGrey(canvas, rows, columns, (i) => 255 * Math.max(0, shares[i]) * Math.min(1, node.value.values.most));
    } else {
        paintShares(canvas, shares, gridOf(node.value.shape));
    }
    return true;
}

function addNumbers(parent, array, paint, what) {
    const box = element(parent, "div", "numbers");
    const canvas = element(box, "canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", what);
    if (!paint(canvas)) canvas.remove();
    const numbers = array.values?.numbers;
    if (numbers) {
        const shown = numbers.slice(0, 8).map((value) => (Math.abs(value) < 0.001 ? sizeText(value) : fixed(value, 3)));
        element(box, "p", "list", shown.join(", ") + (numbers.length > 8 ? ", ..." : ""));
    }
    element(box, "p", "norm", `norm ${sizeText(array.norm)}`);
}

/** Nodes as buttons that choose them. */
function addNodeList(parent, view, indices) {
    const line = element(parent, "div", "nodes");
    const {nodes} = recordingOf(view);
    for (const index of indices) {
        const {norm} = nodes[index].gradients[view.loss];
        const size = norm === undefined ? "" : ` ${sizeText(norm)}`;
        button(line, `${nodeName(nodes[index])}${size}`, () => chooseNode(view, index, true));
    }
}

function showPanel(view) {
    const panel = view.find(".panel");
    panel.replaceChildren();
    const {nodes} = recordingOf(view), index = view.chosen, node = nodes[index];
    element(panel, "h3", "", nodeName(node));
    element(panel, "p", "expression", `%${index} = ${node.expression}`);
    element(panel, "p", "note", [shapeText(node.value.shape), node.module].filter(Boolean).join(", of "));

    element(panel, "h4", "", node.picture ? "Value, as the picture that it means" : "Value");
    addNumbers(panel, node.value, (canvas) => paintValue(canvas, node), `The value of ${nodeName(node)}`);

    const loss = view.computation.losses[view.loss], gradient = node.gradients[view.loss];
    element(panel, "h4", "", `Gradient of the ${loss}`);
    if (gradient.norm === undefined) {
        element(panel, "p", "why", gradient.why_none);
    } else {
        addNumbers(panel, gradient, (canvas) => {
            const shares = sharesOf(gradient);
            if (shares && shares.length > 1) paintShares(canvas, shares, gridOf(gradient.shape));
            return shares && shares.length > 1;
        }, `The gradient in ${nodeName(node)}`);
    }
    const live = view.arrows.filter((arrow) => isLiveArrow(view, arrow));
    const users = live.filter(({from}) => from === index).map(({to}) => to);
    const inputs = live.filter(({to}) => to === index).map(({from}) => from);
    if (users.length) element(panel, "p", "note", "It comes from:");
    addNodeList(panel, view, users);
    if (inputs.length) element(panel, "p", "note", "and goes on to:");
    addNodeList(panel, view, inputs);
    addParameters(panel, view, node);
}

/** The parameters of an op: what training changes. Of these there are shapes and sizes only. */
function addParameters(panel, view, node) {
    const {nodes} = recordingOf(view);
    const parameters = node.inputs.map(({from}) => nodes[from]).filter(({kind}) => kind === "parameter");
    if (parameters.length === 0) return;
    element(panel, "h4", "", "Parameters");
    const list = element(panel, "ul", "parameters");
    for (const {expression, value, gradients} of parameters) {
        const {norm} = gradients[view.loss];
        const sizes = `norm ${sizeText(value.norm)}, ${norm === undefined ? "no gradient" : `gradient ${sizeText(norm)}`}`;
        element(list, "li", "", `${expression.replace("parameter ", "")} ${shapeText(value.shape)}: ${sizes}`);
    }
}
