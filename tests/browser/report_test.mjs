// Opens the report of random models (report_fixture.cpp) in headless Chromium and uses it as a person would: by mouse,
// touch and keyboard, on a wide screen and a phone, light and dark. run.sh starts it.
//     node report_test.mjs CHROMIUM DIRECTORY
// DIRECTORY has report.html, expected.json and node_modules; screenshots go there as well.
import assert from "node:assert/strict";
import {createHash} from "node:crypto";
import {readFileSync, statSync} from "node:fs";
import {createRequire} from "node:module";
import path from "node:path";
import {pathToFileURL} from "node:url";

const [executablePath, argument] = process.argv.slice(2);
const directory = path.resolve(argument);
const {chromium} = createRequire(path.join(directory, "package.json"))("playwright-core");
const address = pathToFileURL(path.join(directory, "report.html")).href;

const SLIDERS = 0, PLANE = 1;  // the fixture's explorers
const DESKTOP = {viewport: {width: 1280, height: 900}};
const PHONE = {viewport: {width: 390, height: 844}, deviceScaleFactor: 2, isMobile: true, hasTouch: true};
const SMALL_PHONE = {...PHONE, viewport: {width: 320, height: 640}};
const DARK = {colorScheme: "dark"};

/** The page, in a window of its own. Whatever it complains about or asks the network for is an error. */
async function open(browser, options) {
    const page = await (await browser.newContext(options)).newPage();
    page.complaints = [];
    page.on("console", (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => page.complaints.push(`error: ${error.message}`));
    page.on("request", (request) => request.url() === address || page.complaints.push(`request: ${request.url()}`));
    await page.goto(address);
    await page.waitForFunction(() => window.xtape && document.querySelectorAll("svg line").length > 0);
    return page;
}

const explorer = (page, number) => page.locator(".explorer").nth(number);
const section = (number) => (number === PLANE ? "#plane" : "#explore");
const inside = (page, number, selector) => page.locator(`${section(number)} .explorer ${selector}`);

/** What is on a canvas, as a digest. */
async function drawnOn(canvas) {
    return createHash("sha256").update(await canvas.evaluate((node) => node.toDataURL())).digest("hex");
}

/** Waits until `holds()` does: for what the browser does at a time that nothing tells. */
async function eventually(holds, complaint, milliseconds = 10000) {
    const end = Date.now() + milliseconds;
    while (!(await holds())) {
        assert.ok(Date.now() < end, complaint);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

/** What both decoders have drawn. */
async function drawings(page, number) {
    const [ae, vae] = ["ae", "vae"].map((model) => inside(page, number, `.output.${model} canvas`));
    return {ae: await drawnOn(ae), vae: await drawnOn(vae)};
}

async function assertBothChanged(page, number, act) {
    const before = await drawings(page, number);
    await act();
    const after = await drawings(page, number);
    assert.notEqual(after.ae, before.ae, "the AE's picture has not changed");
    assert.notEqual(after.vae, before.vae, "the VAE's picture has not changed");
}

const point = (page, number) => page.evaluate((each) => window.xtape.point(each), number);

/** The place of a code on a map, in the window's coordinates. */
async function placeOf(page, model, z) {
    const map = inside(page, PLANE, `.map.${model} .overlay`);
    await map.scrollIntoViewIfNeeded();
    const box = await map.boundingBox();
    const [x, y] = await page.evaluate(([m, code]) => window.xtape.placeOf(1, m, code), [model, z]);
    return [box.x + x, box.y + y];
}

function assertNear(found, expected, tolerance) {
    assert.equal(found.length, expected.length);
    found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= tolerance, `${found} is not near ${expected}`));
}

// --- The graph of the tape ---

const tape = (page, selector) => page.locator(`#tape ${selector}`);
const named = (page, name) => tape(page, `.node[data-name="${name}"]`);
const DRAWN_DIRECTLY = 1, RECONSTRUCTION = 0, KL = 1, LOSS = 2;  // places in the fixture's lists

/** The recording that is shown, from the page's data. */
const recording = (page, way) => page.evaluate((each) => window.xtape.report.computation.recordings[each], way);

/** What a reader sees of the graph: each node's box, and whether it is drawn with a gradient. */
const nodesOf = (page) => tape(page, ".node").evaluateAll((nodes) => nodes.map((node) => {
    const {left, top, right, bottom} = node.getBoundingClientRect();
    return {index: Number(node.dataset.index), left, top, right, bottom, flows: node.classList.contains("flows")};
}));

async function openTape(browser, options) {
    const page = await open(browser, options);
    await page.waitForFunction(() => document.querySelectorAll("#tape .arrow").length > 0);
    return page;
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

// --- The tests -------------------------------------------------------------------------------------------------------

const tests = {
    async "the decoders agree with the C++ ones to 1e-5, the encoders, of half floats, to 1e-2"(browser) {
        const page = await open(browser, DESKTOP);
        const cases = JSON.parse(readFileSync(path.join(directory, "expected.json"), "utf8"));
        assert.equal(cases.length, 200);  // two explorers; twenty codes to two decoders, and pictures to three heads
        const largest = {pixels: 0, mean: 0, logVariance: 0}, spread = {pixels: [1, 0], mean: [0, 0], logVariance: [0, 0]};
        for (const each of cases) {
            const {explorer: number, model, label} = each;
            const what = Object.keys(largest).find((name) => each[name]);
            const found = await page.evaluate(([method, as, ...input]) => {
                const result = window.xtape[method](...input);
                return as === "pixels" ? result : result[as];
            }, each.z ? ["decode", what, number, model, each.z, label] : ["encode", what, number, model, each.picture, label]);
            assert.equal(found.length, each[what].length);
            for (let i = 0; i < found.length; ++i) {
                const expected = each[what][i], difference = Math.abs(found[i] - expected);
                assert.ok(difference <= (what === "pixels" ? 1e-5 : 1e-2), `${number} ${model} ${what} ${i}: ${found[i]}, not ${expected}`);
                largest[what] = Math.max(largest[what], difference);
                spread[what] = [Math.min(spread[what][0], expected), Math.max(spread[what][1], expected)];
            }
        }
        assert.ok(spread.pixels[0] < 0.1 && spread.pixels[1] > 0.9, "the pixels are too alike to say much");
        for (const what of ["mean", "logVariance"]) assert.ok(spread[what][0] < -1 && spread[what][1] > 1, `${what}: ${spread[what]}`);
        console.log(`      largest differences: ${Object.entries(largest).map(([what, d]) => `${what} ${d.toExponential(1)}`).join(", ")}`);
        return page;
    },

    async "a picture is drawn with the mouse, and the codes follow the pen"(browser) {
        const page = await open(browser, DESKTOP);
        for (const number of [SLIDERS, PLANE]) {
            const paper = inside(page, number, ".output.test canvas");
            await paper.scrollIntoViewIfNeeded();
            const at = async (x, y) => {  // clicks elsewhere may have scrolled the page
                const box = await paper.boundingBox();
                return [box.x + x * box.width, box.y + y * box.height];
            };
            await page.mouse.move(...(await at(0.3, 0.3)));
            await page.mouse.down();
            const codes = [];
            for (const place of [[0.3, 0.5], [0.3, 0.7], [0.6, 0.7]]) {
                await assertBothChanged(page, number, async () => page.mouse.move(...(await at(...place))));
                codes.push(await point(page, number));
            }
            assert.notDeepEqual(codes[0], codes[1]);
            assert.notDeepEqual(codes[0].ae, codes[0].vae);
            await page.mouse.up();
            const picture = await page.evaluate((each) => window.xtape.picture(each), number);
            const {rows, columns} = await page.evaluate(() => window.xtape.report.test);
            const pixel = (x, y) => picture[Math.floor(y * rows) * columns + Math.floor(x * columns)];
            assert.ok(pixel(0.3, 0.4) > 0.3 && pixel(0.3, 0.6) > 0.3 && pixel(0.45, 0.7) > 0.3, `${picture}`);
            assert.equal(pixel(0.9, 0.1), 0);
            const expected = await page.evaluate(([each, drawn]) => ["ae", "vae"].map((model) =>
                window.xtape.encode(each, model, drawn, 0).mean), [number, picture]);
            const {ae, vae} = await point(page, number);
            assertNear(ae, expected[0], 1e-5);
            assertNear(vae, expected[1], 1e-5);
            assert.equal(await inside(page, number, ".output.test figcaption").textContent(), "your drawing");
            await inside(page, number, ".resample").click();
            assert.notDeepEqual((await point(page, number)).vae, vae);

            // The mouse without its button does not draw; the eraser takes away, Clear all.
            await page.mouse.move(...(await at(0.9, 0.1)));
            assert.deepEqual(await page.evaluate((each) => window.xtape.picture(each), number), picture);
            await inside(page, number, ".pen-tools input[value=eraser]").check();
            await page.mouse.move(...(await at(0.3, 0.3)));
            await page.mouse.down();
            await page.mouse.move(...(await at(0.3, 0.5)));
            await page.mouse.up();
            const erased = await page.evaluate((each) => window.xtape.picture(each), number);
            assert.ok(erased[Math.floor(0.4 * rows) * columns + Math.floor(0.3 * columns)] < 0.3);
            await inside(page, number, ".pen-tools .clear").click();
            assert.ok((await page.evaluate((each) => window.xtape.picture(each), number)).every((value) => value === 0));
        }
        return page;
    },

    async "a test picture is changed with a finger, which does not scroll"(browser) {
        const page = await open(browser, PHONE);
        await page.evaluate(() => window.xtape.selectImage(1, 4));
        const before = await page.evaluate(() => window.xtape.picture(1));
        const paper = inside(page, PLANE, ".output.test canvas");
        await paper.scrollIntoViewIfNeeded();
        const box = await paper.boundingBox(), scrolled = await page.evaluate(() => window.scrollY);
        assert.ok(box.width >= 150, "large enough for a finger");
        const session = await page.context().newCDPSession(page);
        const touch = (type, points) => session.send("Input.dispatchTouchEvent", {type, touchPoints: points});
        await assertBothChanged(page, PLANE, async () => {
            await touch("touchStart", [{x: box.x + 20, y: box.y + 20}]);
            for (let i = 1; i <= 5; ++i) await touch("touchMove", [{x: box.x + 20 + 10 * i, y: box.y + 20 + 14 * i}]);
            await touch("touchEnd", []);
        });
        const after = await page.evaluate(() => window.xtape.picture(1));
        const changed = after.filter((value, i) => value !== before[i]).length;
        assert.ok(changed > 2 && changed < after.length / 2, `${changed} pixels`);
        assert.match(await inside(page, PLANE, ".output.test figcaption").textContent(), /^second, changed by you/);  // 4 % 3
        assert.equal(await page.evaluate(() => window.scrollY), scrolled);
        return page;
    },

    async "a picture is drawn by keyboard"(browser) {
        const page = await open(browser, DESKTOP);
        const paper = inside(page, PLANE, ".output.test canvas");
        await paper.focus();
        await page.keyboard.press("ArrowLeft");
        assert.equal(await page.evaluate(() => window.xtape.picture(1)), null, "the pen is up");
        assert.ok(await inside(page, PLANE, ".paper .pen").isVisible(), "the pen cannot be seen");
        await assertBothChanged(page, PLANE, () => page.keyboard.press("Space"));
        await assertBothChanged(page, PLANE, async () => {
            for (let i = 0; i < 3; ++i) await page.keyboard.press("ArrowDown");
        });
        assert.match(await inside(page, PLANE, ".live").textContent(), /^Pen draws; the VAE's mean is \(/);
        const white = async () => (await page.evaluate(() => window.xtape.picture(1))).reduce((a, b) => a + b);
        const drawn = await white();
        assert.ok(drawn > 2);
        await page.keyboard.press("e");
        await page.keyboard.press("ArrowUp");
        assert.ok((await white()) < drawn, "the eraser erases nothing");
        await page.keyboard.press("Delete");
        assert.equal(await white(), 0);
        return page;
    },

    async "where a drawing's code is off the map, each map shows all codes of its model, once"(browser) {
        const page = await open(browser, DESKTOP);
        const own = inside(page, PLANE, ".zoom input[value=own]"), prior = inside(page, PLANE, ".zoom input[value=prior]");
        const paper = inside(page, PLANE, ".output.test canvas");
        await paper.focus();
        await page.keyboard.press("Space");
        const {ae} = await point(page, PLANE);
        assert.ok(ae.some((value) => Math.abs(value) > 3.5), `a code on the map says nothing: ${ae}`);
        assert.ok(await own.isChecked());
        await prior.check();
        await paper.focus();
        await page.keyboard.press("ArrowRight");
        assert.ok(await prior.isChecked(), "the reader's choice was changed again");
        return page;
    },

    async "a drawing is kept while other pictures are looked at, and the pen does not draw on them"(browser) {
        const page = await open(browser, DESKTOP);
        const picture = () => page.evaluate(() => window.xtape.picture(1));
        const back = inside(page, PLANE, ".pen-tools .back");
        assert.ok(await back.isDisabled());
        await inside(page, PLANE, ".output.test canvas").focus();
        await page.keyboard.press("Space");
        await page.keyboard.press("ArrowUp");
        const drawing = await picture();
        await inside(page, PLANE, ".walk .next").click();
        const first = await picture();
        assert.notDeepEqual(first, drawing);
        await inside(page, PLANE, ".walk .previous").click();
        assert.equal(await inside(page, PLANE, ".output.test figcaption").textContent(), "test picture: third");  // 23 % 3
        await inside(page, PLANE, ".walk .next").click();
        assert.deepEqual(await picture(), first);
        await inside(page, PLANE, ".output.test canvas").focus();
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("Control+e");
        assert.deepEqual(await picture(), first, "the pen is still down");
        assert.ok(await inside(page, PLANE, ".pen-tools input[value=pen]").isChecked());
        await inside(page, PLANE, "button.random").click();
        await back.click();
        assert.deepEqual(await picture(), drawing);
        return page;
    },

    async "the label of a conditional pair changes the codes of a drawing"(browser) {
        const page = await open(browser, DESKTOP);
        await inside(page, SLIDERS, ".pen-tools .clear").click();
        const before = await point(page, SLIDERS);
        await inside(page, SLIDERS, "select").selectOption("second");
        const after = await point(page, SLIDERS);
        for (const model of ["ae", "vae"]) assert.notDeepEqual(after[model], before[model]);
        return page;
    },

    async "the film: by its slider, by keyboard, and played"(browser) {
        for (const options of [DESKTOP, {...PHONE, ...DARK}]) {
            const page = await open(browser, options);
            assert.equal(await page.locator(".film").count(), 2);
            const film = page.locator(".film").nth(1), find = (selector) => film.locator(selector);
            await find(".frames").scrollIntoViewIfNeeded();
            assert.match(await find(".status").textContent(), /^Before training: the AE’s loss, which is its reconstruction, 530\.0 .* the VAE’s loss 530\.0/);
            const shown = async () => Promise.all([".map.ae .base", ".map.vae .base"].map((each) => drawnOn(find(each)))
                .concat(["ae", "vae"].map((model) => drawnOn(find(`.decoded.${model} canvas`).nth(3))))
                .concat(find(".mark").first().getAttribute("x1")));
            const first = await shown();
            await find(".frames").focus();
            await page.keyboard.press("ArrowRight");
            assert.equal(await page.evaluate(() => window.xtape.frame(1)), 1);
            assert.match(await find(".status").textContent(), /^After 10 steps: .* its KL 1\.00\./);
            const second = await shown();
            second.forEach((each, i) => assert.notEqual(each, first[i], `part ${i} has not changed`));
            await page.keyboard.press("End");
            assert.match(await find(".status").textContent(), /^After 120 steps/);
            assert.match(await find(".map.ae .inside").textContent(), /of 30 on this map/);
            await find(".zoom input[value=all]").check();
            assert.equal(await find(".map.ae .inside").textContent(), "all on this map");
            assert.equal(await overflow(page), 0);

            // Played from its end it begins anew, and stops at the end. How far it is at which time is up to the browser.
            assert.equal(await find(".play").evaluate((button) => {
                button.click();
                return window.xtape.frame(1);
            }), 0);
            assert.equal(await find(".play").textContent(), "Pause");
            await eventually(async () => (await page.evaluate(() => window.xtape.frame(1))) > 0, "it does not play");
            const paused = await find(".play").evaluate((button) => {
                if (button.textContent === "Pause") button.click();  // else it has come to its end
                return window.xtape.frame(1);
            });
            await page.waitForTimeout(200);
            assert.equal(await page.evaluate(() => window.xtape.frame(1)), paused);
            await find(".play").focus();
            await page.keyboard.press("Enter");
            await eventually(async () => (await page.evaluate(() => window.xtape.frame(1))) === 5, "it does not end");
            assert.equal(await find(".play").textContent(), "Play");

            // The film of the other pair, whose codes have five dimensions, has no maps.
            assert.equal(await page.locator(".film").first().locator(".maps").isVisible(), false);
            assert.ok(await page.locator(".film").first().locator(".decoded.vae canvas").first().isVisible());
            assert.deepEqual(page.complaints, []);
        }
        return open(browser, DESKTOP);
    },

    async "all sections are there"(browser) {
        const page = await open(browser, DESKTOP);
        for (const id of ["explore", "plane", "film", "tape", "pictures", "curves", "scores", "capacity", "findings", "settings"]) {
            assert.ok(await page.locator(`#${id}`).isVisible(), id);
        }
        assert.equal(await explorer(page, 0).locator(".slider").count(), 5);
        assert.equal(await page.locator("#scores tbody tr").count(), 3);
        assert.equal(await page.locator("#findings li").nth(1).textContent(), "1 < 2 & 3 > 2.");
        return page;
    },

    async "strings are text"(browser) {
        const page = await open(browser, DESKTOP);
        assert.match(await page.locator("#title").textContent(), /<\/script><script>window\.broken = 1<\/script><img/);
        assert.equal(await page.evaluate(() => window.broken), undefined);
        assert.equal(await page.locator("img").count(), 0);
        return page;
    },

    async "dragging the point changes both pictures"(browser) {
        const page = await open(browser, DESKTOP);
        for (const model of ["ae", "vae"]) {
            await page.mouse.move(...(await placeOf(page, model, [-1, -1])));
            await page.mouse.down();
            for (const z of [[0, 0.5], [1, 1], [1.5, -0.5]]) {
                await assertBothChanged(page, PLANE, async () => page.mouse.move(...(await placeOf(page, model, z))));
                const {ae, vae} = await point(page, PLANE);
                assertNear(ae, z, 0.02);
                assert.deepEqual(ae, vae);
            }
            await page.mouse.up();
            const before = await point(page, PLANE);
            await page.mouse.move(...(await placeOf(page, model, [0, 0])));
            assert.deepEqual(await point(page, PLANE), before, "the point follows a mouse whose button is up");
        }
        return page;
    },

    async "a finger drags the point, and does not scroll"(browser) {
        const page = await open(browser, PHONE);
        const [x, y] = await placeOf(page, "vae", [0, 0]);
        const scrolled = await page.evaluate(() => window.scrollY);
        const session = await page.context().newCDPSession(page);
        const touch = (type, points) => session.send("Input.dispatchTouchEvent", {type, touchPoints: points});
        await assertBothChanged(page, PLANE, async () => {
            await touch("touchStart", [{x, y}]);
            for (let i = 1; i <= 5; ++i) await touch("touchMove", [{x: x + 8 * i, y: y - 12 * i}]);
            await touch("touchEnd", []);
        });
        const {ae, vae} = await point(page, PLANE);
        assert.deepEqual(ae, vae);
        assert.ok(ae[0] > 0.2 && ae[1] > 0.3, `${ae}`);
        assert.equal(await page.evaluate(() => window.scrollY), scrolled);
        return page;
    },

    async "one click draws a random z"(browser) {
        const page = await open(browser, DESKTOP);
        for (const number of [SLIDERS, PLANE]) {
            const seen = new Set();
            for (let i = 0; i < 5; ++i) {
                await assertBothChanged(page, number, () => inside(page, number, "button.random").click());
                const {ae, vae} = await point(page, number);
                assert.deepEqual(ae, vae);
                seen.add(String(ae));
            }
            assert.equal(seen.size, 5);
            const earlier = inside(page, number, ".draw").nth(3);
            await assertBothChanged(page, number, () => earlier.click());
            await inside(page, number, "button.other").click();
            assert.match(await inside(page, number, ".status").textContent(), /a mixture/);
        }
        return page;
    },

    async "random codes are normal"(browser) {
        const page = await open(browser, DESKTOP);
        const values = await page.evaluate(() => Array.from({length: 400}, () => {
            window.xtape.draw(0);
            return window.xtape.point(0).ae;
        }).flat());
        // 2000 values from one seed: five standard errors, which chance exceeds with probability 6e-7.
        const mean = values.reduce((a, b) => a + b) / values.length;
        const variance = values.reduce((a, b) => a + b * b, 0) / values.length;
        assert.ok(Math.abs(mean) < 5 / Math.sqrt(values.length), `mean ${mean}`);
        assert.ok(Math.abs(variance - 1) < 5 * Math.sqrt(2 / values.length), `variance ${variance}`);
        return page;
    },

    async "all works by keyboard"(browser) {
        const page = await open(browser, DESKTOP);
        for (const model of ["ae", "vae"]) {
            await page.evaluate(() => window.xtape.setPoint(1, [0.5, 0.5]));
            const map = inside(page, PLANE, `.map.${model} .overlay`);
            await map.focus();
            await assertBothChanged(page, PLANE, () => page.keyboard.press("ArrowRight"));
            await page.keyboard.press("ArrowUp");
            await page.keyboard.press("Shift+ArrowLeft");
            await page.keyboard.press("ArrowDown");
            await page.keyboard.press("ArrowDown");
            assertNear((await point(page, PLANE)).vae, [0.1, 0.4], 1e-6);
            const outline = await map.evaluate((node) => getComputedStyle(node).outlineStyle);
            assert.equal(outline, "solid", "the focus cannot be seen");
        }
        const slider = inside(page, SLIDERS, ".slider input").first();
        await slider.focus();
        const before = await point(page, SLIDERS);
        await assertBothChanged(page, SLIDERS, async () => {
            for (let i = 0; i < 6; ++i) await page.keyboard.press("ArrowRight");
        });
        const after = await point(page, SLIDERS);
        assert.equal(after.ae.filter((value, i) => value !== before.ae[i]).length, 1);

        // Every control is reached by Tab; of the graph's nodes one, and the others from there by the arrow keys.
        const controls = "button:not(.node), input, select, .overlay";
        const reached = await page.evaluate((each) => Array.from(document.querySelectorAll(each))
            .filter((node) => !node.disabled && node.checkVisibility() && node.tabIndex < 0).length, controls);
        assert.equal(reached, 0);
        assert.equal(await tape(page, ".node[tabindex='0']").count(), 1);
        await inside(page, PLANE, "button.random").focus();
        await assertBothChanged(page, PLANE, () => page.keyboard.press("Enter"));
        return page;
    },

    async "a clicked test picture is encoded, and its q(z|x) drawn from again"(browser) {
        const page = await open(browser, DESKTOP);
        const find = (array, i) => Array.from({length: 2}, (_, k) => array.values[2 * i + k]);
        const {means, codes, logVariances} = await page.evaluate(() => {
            const {vae_mean, ae_code, vae_log_variance} = window.xtape.report.explorers[1];
            return {means: {values: Array.from(vae_mean.values)}, codes: {values: Array.from(ae_code.values)},
                    logVariances: {values: Array.from(vae_log_variance.values)}};
        });
        const image = 5;
        assert.ok(await inside(page, PLANE, ".resample").isDisabled());
        await page.mouse.click(...(await placeOf(page, "vae", find(means, image))));
        let now = await point(page, PLANE);
        assert.deepEqual([now.ae, now.vae], [find(codes, image), find(means, image)]);
        assert.match(await inside(page, PLANE, ".output.test figcaption").textContent(), /third/);  // 5 % 3

        // 200 draws lie around the mean as the log variance says: five standard errors, 6e-7 for each of four numbers.
        const draws = await page.evaluate(() => Array.from({length: 200}, () => {
            window.xtape.resample(1);
            return window.xtape.point(1).vae;
        }));
        for (const k of [0, 1]) {
            const variance = Math.exp(find(logVariances, image)[k]);
            const errors = draws.map((z) => z[k] - find(means, image)[k]);
            const mean = errors.reduce((a, b) => a + b) / errors.length;
            const square = errors.reduce((a, b) => a + b * b, 0) / errors.length;
            assert.ok(Math.abs(mean) < 5 * Math.sqrt(variance / errors.length), `mean ${mean}`);
            const bound = 5 * Math.sqrt(2 / errors.length);
            assert.ok(Math.abs(square / variance - 1) < bound, `variance ${square}, not ${variance}`);
        }
        const before = await drawings(page, PLANE);
        await inside(page, PLANE, ".resample").click();
        const after = await drawings(page, PLANE);
        assert.equal(after.ae, before.ae, "the AE has one code for a picture");
        assert.notEqual(after.vae, before.vae);
        now = await point(page, PLANE);
        assert.deepEqual(now.ae, find(codes, image));

        await inside(page, SLIDERS, ".thumb").nth(1).click();
        assert.equal(await inside(page, SLIDERS, ".thumb").nth(1).getAttribute("aria-pressed"), "true");
        await inside(page, SLIDERS, "button.random").click();
        assert.match(await inside(page, SLIDERS, ".output.test figcaption").textContent(), /^draw here/);
        return page;
    },

    async "the label of a conditional pair changes both pictures"(browser) {
        const page = await open(browser, DESKTOP);
        await assertBothChanged(page, SLIDERS, () => inside(page, SLIDERS, "select").selectOption("second"));
        assert.equal(await inside(page, PLANE, "select").isVisible(), false);
        return page;
    },

    async "the map's tools redraw it"(browser) {
        const page = await open(browser, DESKTOP);
        const read = () => drawnOn(inside(page, PLANE, ".map.ae .base"));
        const first = await read();
        await inside(page, PLANE, ".holes input").uncheck();
        const without = await read();
        assert.notEqual(without, first);
        await inside(page, PLANE, ".zoom input[value=all]").check();
        const all = await read();
        assert.notEqual(all, without);
        const vae = () => drawnOn(inside(page, PLANE, ".map.vae .base"));
        const vaeAtOneScale = await vae();
        await inside(page, PLANE, ".zoom input[value=own]").check();
        assert.notEqual(await vae(), vaeAtOneScale, "the VAE's map has not a scale of its own");
        await inside(page, PLANE, ".zoom input[value=prior]").check();
        await inside(page, PLANE, ".holes input").check();
        assert.equal(await read(), first);

        // A point off the map is still shown, differently.
        const overlay = () => drawnOn(inside(page, PLANE, ".map.ae .overlay"));
        await page.evaluate(() => window.xtape.setPoint(1, [3.5, 0]));
        const edge = await overlay();
        await page.evaluate(() => window.xtape.setPoint(1, [30, 0]));
        const beyond = await overlay();
        assert.notEqual(beyond, edge);
        await page.evaluate(() => window.xtape.setPoint(1, [40, 0]));  // the same place, another text
        assert.notEqual(await overlay(), beyond);
        return page;
    },

    async "the graph is the recorded tape, arrows down and no node on another"(browser) {
        for (const options of [DESKTOP, PHONE]) {
            const page = await openTape(browser, options);
            for (const way of [0, DRAWN_DIRECTLY]) {
                await tape(page, ".ways input").nth(way).check();
                const {nodes} = await recording(page, way);
                const drawn = await nodesOf(page);
                const expected = nodes.map((_, i) => i).filter((i) => nodes[i].kind !== "parameter");
                assert.deepEqual(drawn.map(({index}) => index), expected);
                const boxOf = new Map(drawn.map((box) => [box.index, box]));
                let arrows = 0;
                for (const to of expected) {
                    for (const {from} of nodes[to].inputs.filter((each) => boxOf.has(each.from))) {
                        ++arrows;
                        assert.ok(boxOf.get(from).bottom < boxOf.get(to).top, `${from} is not above ${to}`);
                    }
                }
                assert.equal(await tape(page, ".arrow").count(), arrows);
                for (const a of drawn) {
                    for (const b of drawn) {
                        const apart = a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;
                        assert.ok(a === b || apart, `${a.index} lies on ${b.index}`);
                    }
                }
                assert.deepEqual(await tape(page, ".module-name").allTextContents(), ["encoder", "decoder"]);
            }
        }
        return openTape(browser, DESKTOP);
    },

    async "a node of the tape shows its numbers, and the way of its gradient"(browser) {
        const page = await openTape(browser, DESKTOP);
        const {nodes} = await recording(page, 0);
        const mu = nodes.findIndex(({name}) => name === "mu");
        await named(page, "mu").click();
        assert.equal(await named(page, "mu").getAttribute("aria-pressed"), "true");
        assert.equal(await tape(page, ".node[aria-pressed='true']").count(), 1);
        assert.equal(await tape(page, ".panel h3").textContent(), "mu");
        assert.equal(await tape(page, ".panel .expression").textContent(), `%${mu} = ${nodes[mu].expression}`);
        const numbers = await tape(page, ".panel .list").allTextContents();
        const read = (text) => text.replaceAll("\u2212", "-").split(", ").map(Number);
        assertNear(read(numbers[0]), nodes[mu].value.values.numbers, 6e-4);  // three digits are shown
        assertNear(read(numbers[1]), nodes[mu].gradients[RECONSTRUCTION].values.numbers, 6e-4);
        // Through z alone; of the loss through the KL divergence as well.
        assert.equal(await tape(page, ".panel .nodes").first().locator("button").count(), 1);
        const one = await tape(page, ".arrow.on-way").count();
        await tape(page, ".losses input").nth(LOSS).check();
        assert.equal(await tape(page, ".panel .nodes").first().locator("button").count(), 2);
        assert.ok(one > 5 && await tape(page, ".arrow.on-way").count() > one);
        await tape(page, ".panel .nodes button").first().click();
        assert.equal(await tape(page, ".panel h3").textContent(), "z");

        await named(page, "logits").click();
        assert.equal(await tape(page, ".panel canvas").count(), 2);  // the picture and its gradient
        await tape(page, ".losses input").nth(KL).check();
        const logits = nodes.find(({name}) => name === "logits");
        assert.equal(await tape(page, ".panel .why").textContent(), logits.gradients[KL].why_none);
        assert.equal(await named(page, "z").evaluate((node) => node.classList.contains("flows")), false);
        return page;
    },

    async "a draw in place of the trick greys all that lies behind it, and the library says why"(browser) {
        for (const [width, size] of [[1280, DESKTOP], [390, PHONE]]) {
            for (const [scheme, colors] of [["light", {}], ["dark", DARK]]) {
                const page = await openTape(browser, {...size, ...colors});
                const flowing = async () => (await nodesOf(page)).filter(({flows}) => flows).map(({index}) => index);
                const before = await recording(page, 0), after = await recording(page, DRAWN_DIRECTLY);
                const live = ({nodes}) => nodes.map((_, i) => i)
                    .filter((i) => nodes[i].kind !== "parameter" && "norm" in nodes[i].gradients[RECONSTRUCTION]);
                const indexOf = ({nodes}, name) => nodes.findIndex((node) => node.name === name);
                assert.deepEqual(await flowing(), live(before));
                assert.ok(live(before).includes(indexOf(before, "mu")));
                await named(page, "mu").click();
                await tape(page, "").screenshot({path: path.join(directory, `tape-${width}-${scheme}.png`)});

                await tape(page, ".ways input").nth(DRAWN_DIRECTLY).check();
                assert.deepEqual(await flowing(), live(after));
                assert.ok(live(after).length > 4 && live(after).every((i) => i > indexOf(after, "z")));
                assert.ok(await named(page, "z").evaluate((node) => node.classList.contains("cuts")));
                assert.equal(await tape(page, ".arrow .bar").count(), 1);
                assert.ok(await tape(page, ".arrow.lost").count() > 0);  // from mu, which stays chosen, to the cut
                const [mu, logVariance] = ["mu", "log variance"].map((name) => after.nodes[indexOf(after, name)]);
                const reasons = [mu, logVariance].map(({gradients}) => gradients[RECONSTRUCTION].why_none);
                assert.match(reasons[0], /the path ends at stop_gradient/);
                assert.deepEqual(await tape(page, ".explanation .why").allTextContents(), reasons);
                assert.equal(await tape(page, ".panel .why").textContent(), reasons[0]);
                assert.ok((await tape(page, ".live").textContent()).includes(reasons[0]));
                await tape(page, "").screenshot({path: path.join(directory, `tape-drawn-${width}-${scheme}.png`)});
                assert.equal(await overflow(page), 0);
                const frame = await tape(page, ".graph-frame").evaluate((node) => node.scrollWidth - node.clientWidth);
                assert.equal(frame, 0, "the graph is wider than its frame");

                // The KL divergence does not go through z: its gradient stays.
                await tape(page, ".losses input").nth(KL).check();
                assert.ok((await flowing()).includes(indexOf(after, "mu")));
                assert.deepEqual(page.complaints, []);
            }
        }
        return openTape(browser, DESKTOP);
    },

    async "the graph and its switch work by keyboard"(browser) {
        for (const options of [DESKTOP, PHONE]) {
            const page = await openTape(browser, options);
            const focused = () => page.evaluate(() => document.activeElement.dataset.name || document.activeElement.title);
            const {nodes} = await recording(page, 0);
            await tape(page, ".ways input").first().focus();
            await page.keyboard.press("ArrowRight");
            assert.match(await tape(page, ".panel .why").textContent(), /stop_gradient/);
            await page.keyboard.press("ArrowLeft");
            assert.equal(await tape(page, ".panel .why").count(), 0);
            await page.keyboard.press("Tab");
            await page.keyboard.press("ArrowRight");  // the second loss
            assert.equal(await tape(page, ".panel h4").nth(1).textContent(), "Gradient of the KL");
            await page.keyboard.press("ArrowLeft");
            await page.keyboard.press("Tab");
            assert.equal(await focused(), "z");  // the chosen node is the one that Tab reaches
            const outline = await named(page, "z").evaluate((node) => getComputedStyle(node).outlineStyle);
            assert.equal(outline, "solid", "the focus cannot be seen");
            await page.keyboard.press("ArrowUp");
            assert.equal(await focused(), "mu");  // its first input
            assert.equal(await tape(page, ".panel h3").textContent(), "z");  // focus alone chooses nothing
            await page.keyboard.press("Enter");
            assert.equal(await tape(page, ".panel h3").textContent(), "mu");
            await page.keyboard.press("ArrowLeft");
            const beside = await focused();
            assert.notEqual(beside, "mu");
            await page.keyboard.press("ArrowRight");
            await page.keyboard.press("Home");
            assert.equal(await focused(), "x");
            await page.keyboard.press("End");
            assert.equal(await focused(), "loss");
            // Every node is reached from the loss by arrow keys: up along the first input, and to the sides.
            const reached = new Set();
            const walk = async (keys) => {
                await page.keyboard.press("End");
                for (const key of keys) await page.keyboard.press(key);
                return page.evaluate(() => document.activeElement.dataset.index);
            };
            for (let paths = [[]]; paths.length > 0;) {
                const keys = paths.shift(), index = await walk(keys);
                if (reached.has(index)) continue;
                reached.add(index);
                for (const key of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]) paths.push([...keys, key]);
            }
            assert.equal(reached.size, nodes.filter(({kind}) => kind !== "parameter").length);
            const label = await named(page, "mu").getAttribute("aria-label");
            assert.match(label, /^mu, linear, shape \(1, 2\), norm of the gradient [\d.]+$/);
            assert.deepEqual(page.complaints, []);
        }
        return openTape(browser, DESKTOP);
    },

    async "it fits a phone"(browser) {
        for (const options of [PHONE, SMALL_PHONE]) {
            const page = await open(browser, options);
            assert.equal(await overflow(page), 0);
            await inside(page, PLANE, ".thumb").first().click();
            assert.equal(await overflow(page), 0);
            const [ae, vae] = await Promise.all(["ae", "vae"].map((m) => inside(page, PLANE, `.map.${m}`).boundingBox()));
            assert.ok(vae.y >= ae.y + ae.height && Math.abs(vae.x - ae.x) < 1, "one column");
            await page.evaluate(() => window.scrollTo(0, 0));
            await page.screenshot({path: path.join(directory, `phone-${options.viewport.width}.png`), fullPage: true});
            assert.deepEqual(page.complaints, []);
        }
        return open(browser, PHONE);
    },

    async "dark mode is dark, and text stands out in both"(browser) {
        const luminance = {};
        let last;
        for (const [name, options] of [["light", DESKTOP], ["dark", {...DESKTOP, ...DARK}]]) {
            const page = (last = await open(browser, options));
            const contrasts = await page.evaluate(contrastsOfText);
            luminance[name] = contrasts.page;
            // WCAG 2.2's level AA asks 4.5 of text.
            for (const [what, ratio] of Object.entries(contrasts.ratios)) {
                assert.ok(ratio >= 4.5, `${name}: ${what} has ${ratio}`);
            }
            await page.screenshot({path: path.join(directory, `${name}.png`), fullPage: true});
            assert.ok(statSync(path.join(directory, `${name}.png`)).size > 50000);
        }
        assert.ok(luminance.light > 0.8 && luminance.dark < 0.05);
        // A change while the page is open reaches the maps too.
        const before = await drawnOn(inside(last, PLANE, ".map.ae .base"));
        await last.emulateMedia({colorScheme: "light"});
        // The browser tells the page of it in a frame of its own choosing, so this waits for the drawing, not for a frame.
        await eventually(async () => (await drawnOn(inside(last, PLANE, ".map.ae .base"))) !== before, "the map has not changed");
        return last;
    },
};

/** Runs in the page: the luminance of its background, and the contrast of each kind of text with what it stands on. */
function contrastsOfText() {
    const channels = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
    const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const weights = [0.2126, 0.7152, 0.0722];
    const luminanceOf = (color) => channels(color).map(linear).reduce((sum, c, i) => sum + c * weights[i], 0);
    const opaque = (color) => color.startsWith("rgb(");
    const backgroundOf = (node) => {
        while (node && !opaque(getComputedStyle(node).backgroundColor)) node = node.parentElement;
        return getComputedStyle(node ?? document.body).backgroundColor;
    };
    const ratios = {};
    const texts = "h1, h2, h3, p, figcaption, li, dt, dd, th, td, small, label, b.ae, b.vae, .kl, svg text";
    for (const node of document.querySelectorAll(`${texts}, button:not(:disabled)`)) {
        if (!node.textContent.trim() || !node.checkVisibility()) continue;
        const style = getComputedStyle(node);
        const ink = luminanceOf(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
        const ground = luminanceOf(backgroundOf(node));
        const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        const what = `${node.tagName} ${node.className.baseVal ?? node.className}`;
        ratios[what] = Math.min(ratios[what] ?? Infinity, ratio);
    }
    return {page: luminanceOf(getComputedStyle(document.body).backgroundColor), ratios};
}

// Chromium's sandbox does not work for root, who runs tests in containers; the page is our own.
const browser = await chromium.launch({executablePath, args: process.getuid() === 0 ? ["--no-sandbox"] : []});
let failures = 0;
for (const [name, test] of Object.entries(tests)) {
    try {
        const page = await test(browser);
        assert.deepEqual(page.complaints, []);
        console.log(`ok    ${name}`);
    } catch (error) {
        ++failures;
        console.log(`FAIL  ${name}\n${error.stack}`);
    }
    for (const context of browser.contexts()) await context.close();
}
await browser.close();
const total = Object.keys(tests).length;
console.log(`${total - failures} of ${total} passed; screenshots are in ${directory}`);
process.exitCode = failures > 0 ? 1 : 0;
