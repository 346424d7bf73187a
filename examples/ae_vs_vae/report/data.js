// The data that the page carries, unpacked, and what the other files count and draw lots with. The files of this directory
// become one script, in the order data, decoder, elements, explorer, plane, charts, page.
"use strict";

const MODELS = ["ae", "vae"];
const NAMES = {ae: "AE", vae: "VAE"};

function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
    return bytes;
}

function unpackFloats(base64) {
    const bytes = new DataView(bytesOf(base64).buffer);
    const values = new Float32Array(bytes.byteLength / 4);
    for (let i = 0; i < values.length; ++i) values[i] = bytes.getFloat32(4 * i, true);
    return values;
}

/** JSON.parse's reviver: arrays become {shape, values}. */
function unpack(key, value) {
    if (value === null || typeof value !== "object") return value;
    if (typeof value.float32 === "string") return {shape: value.shape, values: unpackFloats(value.float32)};
    if (typeof value.uint8 === "string") return {shape: value.shape, values: bytesOf(value.uint8)};
    return value;
}

const report = JSON.parse(document.getElementById("data").textContent, unpack);

/** Row i of an array, as a view. */
function row({shape, values}, i) {
    const length = shape[1];
    return values.subarray(i * length, (i + 1) * length);
}

function quantile(sorted, probability) {
    return sorted[Math.round(probability * (sorted.length - 1))];
}

/** Elements `column` of all rows, in ascending order. */
function sortedColumn(array, column) {
    const [count, width] = array.shape;
    return Float32Array.from({length: count}, (_, i) => array.values[i * width + column]).sort();
}

/** A generator of uniform numbers on (0, 1): a reader who opens the page again sees the same draws. (mulberry32) */
function uniformStream(seed) {
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
}

const uniform = uniformStream(1);

/** A draw from N(0, 1), by Box and Muller's method. */
function normal() {
    return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
