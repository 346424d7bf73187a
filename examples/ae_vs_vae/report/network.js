// The networks' arithmetic. A layer takes and returns {shape, values}; sums are in double, as all arithmetic here. Weights are
// the C++ program's floats, those of encoders rounded to half floats.

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

/** The one-hot label behind what there is. */
function labels({classes}, {values}, label) {
    const all = new Float64Array(values.length + classes);
    all.set(values);
    all[values.length + label] = 1;
    return {shape: [all.length], values: all};
}

function reshape(layer, {values}) {
    return {shape: layer.shape, values};
}

/** Every output element is a sum over the part of the input that the kernel covers, with zeros around it. */
function conv2d(layer, {shape: [channels, height, width], values: x}) {
    const [outputs, , kernelHeight, kernelWidth] = layer.weight.shape;
    const extent = (size, kernel, axis) => Math.floor((size + 2 * layer.padding[axis] - kernel) / layer.stride[axis]) + 1;
    const rows = extent(height, kernelHeight, 0), columns = extent(width, kernelWidth, 1);
    const y = new Float64Array(outputs * rows * columns);

    const sumUnder = (kernel, plane, top, left) => {
        let sum = 0;
        for (let i = Math.max(0, -top); i < kernelHeight && top + i < height; ++i) {
            for (let j = Math.max(0, -left); j < kernelWidth && left + j < width; ++j) {
                sum += x[plane + (top + i) * width + left + j] * layer.weight.values[kernel + i * kernelWidth + j];
            }
        }
        return sum;
    };
    for (let o = 0, at = 0; o < outputs; ++o) {
        for (let i = 0; i < rows; ++i) {
            for (let j = 0; j < columns; ++j, ++at) {
                const top = i * layer.stride[0] - layer.padding[0], left = j * layer.stride[1] - layer.padding[1];
                y[at] = layer.bias.values[o];
                for (let c = 0; c < channels; ++c) {
                    y[at] += sumUnder((o * channels + c) * kernelHeight * kernelWidth, c * height * width, top, left);
                }
            }
        }
    }
    return {shape: [outputs, rows, columns], values: y};
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
    linear, relu, sigmoid, labels, reshape, conv2d,
    continuous_bernoulli_mean: continuousBernoulliMean,
    conv_transpose2d: convTranspose2d,
};

/** What the layers make of numbers, and of a label where one of them asks for it. */
function apply(layers, numbers, label) {
    let x = {shape: [numbers.length], values: Float64Array.from(numbers)};
    for (const layer of layers) x = LAYERS[layer.type](layer, x, label);
    return x.values;
}

/** The pixels' probabilities for a code, and for a label where the decoders expect one. */
function decode(explorer, model, z, label = 0) {
    return apply(explorer[model], z, label);
}

const LOG_VARIANCE_BOUND = 20;  // as in models.hpp

/** The code of a picture, pixels from 0 to 1; of the VAE, q(z|x): its mean and its log variance. */
function encode(explorer, model, pixels, label = 0) {
    const {features, mean, log_variance: logVariance} = explorer[`${model}_encoder`];
    const h = apply(features, pixels, label);
    const bounded = (value) => Math.min(Math.max(value, -LOG_VARIANCE_BOUND), LOG_VARIANCE_BOUND);
    return {mean: apply(mean, h), logVariance: logVariance && apply(logVariance, h).map(bounded)};
}
