// Where the boxes of a graph stand: in rows, so that every arrow points down, and in an order and at places that keep arrows
// short and straight. It knows sizes and arrows, not what they mean. (After Sugiyama, Tagawa and Toda 1981.)

const LAYOUT_SWEEPS = 24, STRAIGHTNESS = 12, LOOSENESS = 0.25;  // of long arrows: in themselves, at their ends

/**
 * `sizes` are of {width, height}, `arrows` of {from, to}, from < to; `room` is the width to stay within, if that can be.
 * Returns the middle of each box across and its top, {x, y}, the points through which each arrow goes, and the size of it all.
 */
function layOut(sizes, arrows, gap, room) {
    const rowOf = rowsOf(sizes.length, arrows);
    const rows = Array.from({length: Math.max(...rowOf) + 1}, () => []);
    const put = (width, height, row) => {
        const place = {width, height, row, isBox: height > 0, x: 0, above: [], below: []};
        rows[row].push(place);
        return place;
    };
    const boxes = sizes.map(({width, height}, i) => put(width, height, rowOf[i]));
    const chains = arrows.map(({from, to}) => {  // an arrow that passes rows takes room in each
        const chain = [boxes[from]];
        for (let row = rowOf[from] + 1; row < rowOf[to]; ++row) chain.push(put(gap.arrow, 0, row));
        chain.push(boxes[to]);
        chain.slice(1).forEach((place, i) => {
            chain[i].below.push(place);
            place.above.push(chain[i]);
        });
        return chain;
    });
    sortRows(rows);
    for (let i = 0; i < 4 * LAYOUT_SWEEPS; ++i) {
        for (const row of i % 2 ? [...rows].reverse() : rows) placeRow(row, gap.column, room - 2 * gap.edge);
    }
    return measured(rows, boxes, chains, gap);
}

/** One more than the row of the lowest that an arrow comes from; what nothing leads to stands just above its first user. */
function rowsOf(count, arrows) {
    const into = Array.from({length: count}, () => []), outOf = Array.from({length: count}, () => []);
    for (const {from, to} of arrows) {
        into[to].push(from);
        outOf[from].push(to);
    }
    const rows = [];
    for (let i = 0; i < count; ++i) rows[i] = Math.max(-1, ...into[i].map((from) => rows[from])) + 1;
    return rows.map((row, i) => {
        if (into[i].length > 0 || outOf[i].length === 0) return row;
        return Math.min(...outOf[i].map((to) => rows[to])) - 1;
    });
}

/** Each row by the mean places of its neighbours in the row above, then below, and again. */
function sortRows(rows) {
    const number = (row) => row.forEach((place, i) => (place.x = i - (row.length - 1) / 2));
    rows.forEach(number);
    for (let i = 0; i < LAYOUT_SWEEPS; ++i) {
        const downwards = i % 2 === 0;
        for (const row of downwards ? rows : [...rows].reverse()) {
            const keys = new Map(row.map((place) => [place, meanOf(downwards ? place.above : place.below, place.x)]));
            row.sort((a, b) => keys.get(a) - keys.get(b));
            number(row);
        }
    }
}

function meanOf(places, otherwise) {
    return places.length ? places.reduce((sum, {x}) => sum + x, 0) / places.length : otherwise;
}

/** Where a place would like to be, and how much it counts. */
function wishOf(place) {
    let sum = 0, weight = 0;
    for (const other of [...place.above, ...place.below]) {
        const pull = place.isBox === other.isBox ? (place.isBox ? 1 : STRAIGHTNESS) : LOOSENESS;
        sum += pull * other.x;
        weight += pull;
    }
    return weight > 0 ? {wish: sum / weight, weight} : {wish: place.x, weight: 1};
}

/**
 * Moves a row's places as near to the middle of their neighbours as their order and widths let them: the least sum of
 * weighted squares, by pooling those that would overlap.
 */
function placeRow(row, gap, room) {
    let offset = 0;
    const pools = [];  // of places that touch: their mean wish, their weight, how many they are
    row.forEach((place, i) => {
        if (i > 0) offset += (row[i - 1].width + place.width) / 2 + gap;
        place.offset = offset;
        const {wish, weight} = wishOf(place);
        let pool = {wish: wish - offset, weight, count: 1};
        while (pools.length && pools.at(-1).wish > pool.wish) pool = pooled(pools.pop(), pool);
        pools.push(pool);
    });
    const low = (row[0].width - room) / 2, high = (room - row.at(-1).width) / 2 - offset;  // around 0
    const wishes = pools.flatMap(({wish, count}) => Array(count).fill(Math.max(low, Math.min(wish, high))));
    row.forEach((place, i) => (place.x = wishes[i] + place.offset));
}

function pooled(a, b) {
    const weight = a.weight + b.weight;
    return {wish: (a.wish * a.weight + b.wish * b.weight) / weight, weight, count: a.count + b.count};
}

function measured(rows, boxes, chains, gap) {
    const all = rows.flat();
    const left = Math.min(...all.map(({x, width}) => x - width / 2)) - gap.edge;
    const width = Math.max(...all.map(({x, width: w}) => x + w / 2)) + gap.edge - left;
    let top = gap.edge;
    for (const row of rows) {
        const height = Math.max(...row.map((place) => place.height));
        for (const place of row) {
            place.x -= left;
            place.top = top + (height - place.height) / 2;
            Object.assign(place, {rowTop: top, rowBottom: top + height});
        }
        top += height + gap.row;
    }
    const paths = chains.map((chain) => chain.flatMap(({x, top: y, height, rowTop, rowBottom}, i) => {
        if (i === 0) return [[x, y + height]];
        return i === chain.length - 1 ? [[x, y]] : [[x, rowTop], [x, rowBottom]];
    }));
    return {places: boxes.map(({x, top: y}) => ({x, y})), paths, width, height: top - gap.row + gap.edge};
}
