// The page in headless Chromium: what a person does with it, before the real coordinator, gateway and summarizer. Screenshots go to
// WEIR_SCREENSHOTS, so that somebody can look at them.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ask } from "./client.mjs";
import { DEADLINE_MS, Weir } from "./programs.mjs";
import { CODES, explain } from "../../gateway/console/errors.js";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const SHOTS = process.env.WEIR_SCREENSHOTS ?? "build/screenshots";
const TEXTS = new URL("../../samples/texts/", import.meta.url);
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

const weir = new Weir();
let browser;
let page;
let failed = false;
let complaints = []; // what the page itself found wrong

const plain = (text) => text.replace(/\s+/g, " ").trim();

function check(name, run) {
  test(name, { timeout: 120000 }, async () => {
    try {
      await run();
    } catch (error) {
      failed = true;
      await page?.screenshot({ path: join(SHOTS, "failed.png"), fullPage: true });
      throw error;
    }
  });
}

async function open(options) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  context.setDefaultTimeout(DEADLINE_MS);
  const opened = await context.newPage();
  opened.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  opened.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`console: ${message.text()}`));
  opened.on("request", (request) => new URL(request.url()).host !== weir.address && complaints.push(`request to ${request.url()}`));
  await opened.goto(`http://${weir.address}/`);
  await connected(opened);
  return opened;
}

const connected = (on) => on.locator('#link[data-state="open"]').waitFor();
const shot = (on, name) => on.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, animations: "disabled" });
const textIs = (on, id, pattern) => on.waitForFunction(([i, p]) => new RegExp(p).test(document.getElementById(i).textContent), [id, pattern]);

async function choose(on, file, begins) {
  await on.selectOption("#choice", file);
  await on.waitForFunction((b) => document.getElementById("text").value.startsWith(b), begins);
}

async function summarize(on) {
  await on.click("#summarize");
  await textIs(on, "took", "all after");
  await on.waitForFunction(() => { // the first key sentence is scrolled into view
    const seen = document.getElementById("article").getBoundingClientRect();
    const mark = document.querySelector("mark.chosen").getBoundingClientRect();
    return mark.top >= seen.top && mark.bottom <= seen.bottom;
  });
}

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  await weir.startAll();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  page = await open();
});

after(async () => {
  await browser?.close();
  await weir.stop(failed);
});

check("every error code has words a person can read", () => {
  const table = readFileSync(new URL("../../sdk/include/weir/weir.h", import.meta.url), "utf8");
  const statuses = table.slice(table.indexOf("enum weir_status"), table.indexOf("} weir_status;"));
  const words = [...statuses.matchAll(/^\s+WEIR_([A-Z_]+) = (\d+)/gm)].filter(([, , n]) => n > 0 && n < 64).map(([, word]) => word.toLowerCase());
  assert.ok(words.length >= 20);
  for (const word of words) if (word !== "timed_out") assert.ok(CODES.includes(word), word);
  assert.ok(CODES.includes("timeout"));
  assert.match(explain({ code: "from_the_future", message: "so it is" }).title, /from_the_future/);
});

check("the page connects and offers the documents that are shipped", async () => {
  const offered = await page.locator("#choice option").allTextContents();
  assert.equal(offered.length, 7);
  await choose(page, "roosevelt-1941.txt", "Mr. President");
  assert.equal(await page.inputValue("#text"), readFileSync(new URL("roosevelt-1941.txt", TEXTS), "utf8"));
  await shot(page, "1-start");
});

check("a summary arrives in pieces and is the worker's own answer", async () => {
  await summarize(page);
  const text = readFileSync(new URL("roosevelt-1941.txt", TEXTS), "utf8");
  const { partials, answer } = await ask(weir.address, { type: "request", topic: "docs.again.summarize", data: { text }, timeout_ms: DEADLINE_MS });
  assert.equal(answer.type, "reply", JSON.stringify(answer));
  assert.deepEqual(partials.map(({ data }) => data.stage).slice(0, 3), ["read", "ranked", "keywords"]);
  assert.equal(partials.filter(({ data }) => data.stage === "sentence").length, answer.data.summary.length);

  const shown = await page.locator("#sentences button").allTextContents();
  assert.deepEqual(shown, answer.data.summary.map((sentence) => sentence.text));
  assert.ok(shown.length >= 3);
  const chips = await page.locator("#keywords li").evaluateAll((items) => items.map((item) => item.firstChild.textContent));
  assert.deepEqual(chips, answer.data.keywords.map((keyword) => keyword.text));
  const stages = await page.locator("#stages b").allTextContents();
  assert.deepEqual(stages, ["read", "ranked", "answered"]);
});

check("the key sentences are marked in the document where they stand", async () => {
  const shown = await page.locator("#sentences button").allTextContents();
  const marked = await page.locator("#article mark").allTextContents();
  assert.deepEqual(marked.map(plain), shown.map(plain));
  await page.locator("#sentences button").last().click();
  assert.equal(plain(await page.locator("mark.chosen").textContent()), plain(shown.at(-1)));
});

check("question and answer stand among the stored events", async () => {
  const row = (topic) => page.locator("#events li", { hasText: topic }).first();
  await row("docs.roosevelt-1941.summarize").waitFor();
  await row("docs.roosevelt-1941.summarized").locator("button").click();
  const stored = JSON.parse(await row("docs.roosevelt-1941.summarized").locator("pre").textContent());
  assert.deepEqual(stored.summary.map((sentence) => sentence.text), await page.locator("#sentences button").allTextContents());
  const { answer } = await ask(weir.address, { type: "history", topic: "docs.roosevelt-1941.summarized", since: "start", limit: 10 });
  assert.deepEqual(answer.events.map((event) => event.data), [stored]);
});

check("an event that is no request is summarized too, and its summary is an event", async () => {
  const text = readFileSync(new URL("declaration-of-independence.txt", TEXTS), "utf8");
  assert.equal((await ask(weir.address, { type: "publish", topic: "docs.plain.summarize", data: text })).answer.type, "ok");
  await page.locator("#events li", { hasText: "docs.plain.summarized" }).waitFor();
});

check("a burst is stored and comes back whole", async () => {
  await page.fill("#burst-count", "600");
  await page.fill("#burst-rate", "600");
  await page.click("#burst-send");
  await textIs(page, "burst-state", "after");
  const figures = await page.locator(".counts dd").allTextContents();
  assert.deepEqual(figures, ["600", "600", "0", "600"], await page.locator("#burst-state").textContent());
  const latency = await page.locator("#latency-event td").allTextContents();
  assert.ok(latency.every((figure) => Number(figure) > 0), latency.join());
  assert.equal(await page.locator("#chart polyline").count(), 2);
  await page.locator("#events li", { hasText: "600×" }).waitFor();
  await shot(page, "2-summary-and-burst");
});

check("a document the worker refuses gets its reason", async () => {
  await page.selectOption("#choice", "");
  await page.fill("#text", "the and of it was there.");
  await page.click("#summarize");
  await page.locator("#notice:not([hidden])").waitFor();
  assert.match(await page.locator("#notice").textContent(), /no words that carry a topic/i);
  assert.equal(await page.inputValue("#text"), "the and of it was there.");
  await shot(page, "3-refused");
  await page.click("#notice-action");
  await page.locator("#notice").waitFor({ state: "hidden" });
});

check("what is no document is refused, and the reason is said", async () => {
  const refusals = [
    [{ text: 5 }, /"text" is missing or not a string/],
    [{ title: "no text" }, /"text" is missing/],
    [{ text: "Some text.", title: 7 }, /"title" is not a string/],
    [{ text: "Some text.", sentences: 21 }, /from 1 to 20/],
    [{ text: "Some text.", sentences: "three" }, /from 1 to 20/],
    [{ text: " \n " }, /empty/],
    ["\u0001\u0002 \u0003", /binary/],
  ];
  for (const [data, reason] of refusals) {
    const { answer } = await ask(weir.address, { type: "request", topic: "docs.wrong.summarize", data, timeout_ms: DEADLINE_MS });
    assert.equal(answer.type, "error");
    assert.match(answer.message, reason);
  }
});

check("a text that is too large cannot be sent", async () => {
  await page.fill("#text", "A sentence of many. ".repeat(4000));
  assert.match(await page.locator("#size").textContent(), /at most 60 KiB/);
  assert.ok(await page.locator("#summarize").isDisabled());
});

check("after the gateway is killed the page comes back and misses nothing", async () => {
  await weir.gateway.stop("SIGKILL");
  await page.locator('#link[data-state="waiting"], #link[data-state="connecting"]').waitFor();
  await shot(page, "4-disconnected");
  complaints = complaints.filter((text) => !text.includes("WebSocket connection")); // Chromium logs each failed attempt
  await weir.startGateway();
  const missed = { type: "publish", topic: "docs.while-away.noted", data: { note: "published while the page may be away" } };
  assert.equal((await ask(weir.address, missed)).answer.type, "ok");
  await connected(page);
  await page.locator("#events li", { hasText: "docs.while-away.noted" }).waitFor();
  complaints = complaints.filter((text) => !text.includes("WebSocket connection"));
});

check("a gateway that wants a credential is given one", async () => {
  const address = await weir.startLockedGateway("open-sesame");
  const locked = await browser.newPage();
  await locked.goto(`http://${address}/`);
  const form = locked.locator("#credential-form");
  await form.waitFor();
  await shot(locked, "5-credential");
  await locked.fill("#credential", "wrong");
  await locked.click("#credential-form button");
  await form.waitFor();
  await locked.fill("#credential", "open-sesame");
  await locked.click("#credential-form button");
  await locked.locator("#notice").waitFor({ state: "hidden" });
  await locked.locator("#events li", { hasText: "docs.while-away.noted" }).waitFor();
  await locked.close();
});

check("it reads well in the dark and on a phone", async () => {
  const dark = await open({ colorScheme: "dark" });
  await choose(dark, "moby-dick-cetology.txt", "CHAPTER 32");
  await summarize(dark);
  await shot(dark, "6-dark");
  await dark.context().close();

  const phone = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
  await choose(phone, "us-constitution.txt", "The Constitution");
  await summarize(phone);
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 390);
  await shot(phone, "7-phone");
  await phone.context().close();
});

check("every control has a name, and the keyboard reaches them", async () => {
  const nameless = await page.locator("button, input, select, textarea").evaluateAll((all) =>
    all.filter((one) => !one.textContent.trim() && !one.labels?.length && !one.getAttribute("aria-label")).map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
  await page.fill("#text", "A gateway carries events. A coordinator stores the events that a gateway carries.");
  await page.locator("#text").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await textIs(page, "took", "all after");
});

check("the page asked nobody else and complained of nothing", async () => {
  assert.deepEqual(complaints, []);
});
