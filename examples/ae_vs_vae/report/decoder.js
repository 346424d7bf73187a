// The decoders' arithmetic. A layer takes and returns {shape, values}; sums are in double, as all arithmetic here, and
// weights are the C++ program's floats.

function linear({weight, bias}, {values: x}) {
    const [outputs, inputs] = weight.shape;
    const y = new Float64Array(outputs);
    for (let o = 0, at = 0; o < outputs; ++o) {
        let sum = bias.values[o];
        for (let i = 0; i < inputs; ++i, ++at) sum += weight.values[at] * x[i];
        y[o] = sum;
    }
    return {shape: [outputs], values: y};
}

function relu(layer, {shape, values}) {
    return {shape, values: values.map((x) => Math.max(x, 0))};
}

function sigmoid(layer, {shape, values}) {
    return {shape, values: values.map((x) => 1 / (1 + Math.exp(-x)))};
}

/** 1 / (1 - exp(-x)) - 1 / x; near 0, where that cancels, its series, of which the next term is below 1e-12. */
function continuousBernoulliMean(layer, {shape, values}) {
    const mean = (x) => (Math.abs(x) < 0.02 ? 0.5 + x / 12 - x ** 3 / 720 : -1 / Math.expm1(-x) - 1 / x);
    return {shape, values: values.map(mean)};
}

function reshape(layer, {values}) {
    return {shape: layer.shape, values};
}

/** Every input element adds its multiple of the kernel to the output. */
function convTranspose2d(layer, {shape: [channels, height, width], values: x}) {
    const [, outputs, kernelHeight, kernelWidth] = layer.weight.shape;
    const extent = (size, kernel, axis) =>
        (size - 1) * layer.stride[axis] + kernel + layer.output_padding[axis] - 2 * layer.padding[axis];
    const rows = extent(height, kernelHeight, 0), columns = extent(width, kernelWidth, 1);
    const y = new Float64Array(outputs * rows * columns);
    for (let o = 0; o < outputs; ++o) y.fill(layer.bias.values[o], o * rows * columns, (o + 1) * rows * columns);

    const addKernel = (value, kernel, plane, top, left) => {
        for (let i = 0; i < kernelHeight; ++i) {
            if (top + i < 0 || top + i >= rows) continue;
            for (let j = 0; j < kernelWidth; ++j) {
                if (left + j < 0 || left + j >= columns) continue;
                y[plane + (top + i) * columns + left + j] += value * layer.weight.values[kernel + i * kernelWidth + j];
            }
        }
    };
    for (let c = 0, at = 0; c < channels; ++c) {
        for (let i = 0; i < height; ++i) {
            for (let j = 0; j < width; ++j, ++at) {
                if (x[at] === 0) continue;  // what relu left: often half of them
                const top = i * layer.stride[0] - layer.padding[0], left = j * layer.stride[1] - layer.padding[1];
                for (let o = 0; o < outputs; ++o) {
                    const kernel = (c * outputs + o) * kernelHeight * kernelWidth;
                    addKernel(x[at], kernel, o * rows * columns, top, left);
                }
            }
        }
    }
    return {shape: [outputs, rows, columns], values: y};
}

const LAYERS = {
    linear, relu, sigmoid, reshape,
    continuous_bernoulli_mean: continuousBernoulliMean,
    conv_transpose2d: convTranspose2d,
};

/** The pixels' probabilities for a code, and for a label where the decoders expect one. */
function decode(explorer, model, z, label = 0) {
    const oneHot = Array.from({length: explorer.labels}, (_, i) => (i === label ? 1 : 0));
    let x = {shape: [explorer.latent + explorer.labels], values: Float64Array.from([...z, ...oneHot])};
    for (const layer of explorer[model]) x = LAYERS[layer.type](layer, x);
    return x.values;
}
