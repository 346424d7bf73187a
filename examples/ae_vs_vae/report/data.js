// The data that the page carries, unpacked, and what the other files count and draw lots with. It shows nothing. The files of
// this directory become one script, in the order that to_html() of report.cpp has.
"use strict";

const MODELS = ["ae", "vae"];
const NAMES = {ae: "AE", vae: "VAE"};

function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
    return bytes;
}

/** Numbers of `width` bytes, of which all lowest bytes come first, then all next ones, as bytes one number after another. */
function fromPlanes(planes, width) {
    const count = planes.length / width, bytes = new Uint8Array(planes.length);
    for (let k = 0; k < width; ++k) {
        for (let i = 0; i < count; ++i) bytes[width * i + k] = planes[k * count + i];
    }
    return new DataView(bytes.buffer);
}

function floatOfHalf(bits) {
    const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** From an array's bytes to its numbers. */
const UNPACK = {
    uint8: (bytes) => bytes,
    float16: (bytes) => {
        const halves = fromPlanes(bytes, 2);
        return Float32Array.from({length: bytes.length / 2}, (_, i) => floatOfHalf(halves.getUint16(2 * i, true)));
    },
    float32: (bytes) => {
        const floats = fromPlanes(bytes, 4);
        return Float32Array.from({length: bytes.length / 4}, (_, i) => floats.getFloat32(4 * i, true));
    },
};

/** What packing.cpp packed: JSON, and the bytes of its arrays, which become {shape, values}. */
async function unpack(json, base64) {
    const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const all = new Uint8Array(await new Response(stream).arrayBuffer());
    return JSON.parse(json, (key, value) => {
        const type = Object.keys(UNPACK).find((each) => value?.[each]);
        if (!type) return value;
        const [first, count] = value[type];
        return {shape: value.shape, values: UNPACK[type](all.subarray(first, first + count))};
    });
}

let report;  // what the page shows: set by page.js, before anything else is called

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
