/* Opens the built dashboard in a real Chromium against the canned server: every screen in both
 * themes and several widths, without one error or policy violation; the editor by keyboard alone.
 * FULL=1: every screen in every look. `npm run browser -- live` only the parts of that name. With
 * SHOTS=folder the screens are saved as pictures. CHROMIUM names another browser. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { editorJourneys } from "./editor_journeys.mjs";
import { runTwice } from "../../../scripts/twice.mjs";
import { startServer } from "./server.mjs";
import { ACCESS_SCREENS, accessJourneys } from "./access_journeys.mjs";
import { HEALTH_SCREENS, healthJourneys } from "./health_journeys.mjs";
import { SITE_SCREENS, siteJourneys } from "./sites_journeys.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.SHOTS ?? "";
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
/* one look at each screen; all of them with FULL=1 */
const LOOKS =
  process.env.FULL === undefined
    ? [[1280, "light"]]
    : [360, 768, 1280, 1920].flatMap((width) => [[width, "light"], [width, "dark"]]);

async function openPage(complaints, { width, scheme = "light", height = 900, locale = "en-GB" }) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, locale });
  page.setDefaultTimeout(120_000); // a busy machine is no fault
  page.on("console", (message) => {
    const isExpected =
      /status of (400|401|403|409)/.test(message.text()) ||
      /\/share\/gone$|\/journey$/.test(message.location().url);
    if (message.type() === "error" && !isExpected) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.stack}`));
  page.on("dialog", (dialog) => complaints.push(`${page.url()}: dialog ${dialog.message()}`));
  return page;
}

async function shoot(page, name) {
  if (SHOTS !== "") await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/* Nothing sticks out sideways: only parts made for it scroll. */
async function checkWidth(page, name) {
  const extra = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(extra <= 0, `${name} is ${extra} px wider than the screen`);
}

/* The rules of WCAG 2.2 AA that a program can check. */
async function checkAccess(page, name) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await window.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).slice(0, 2).join(" | ")}`);
  });
  assert.deepEqual(violations, [], `${name}: accessibility`);
}

const LONG = encodeURIComponent("Eight stages <img src=x onerror=alert(1)>");
const SCREENS = [
  ["sites", "/", "h1"],
  ["overview", "/sites/shop?range=30d", ".list-card .breakdown"],
  ["funnels", "/sites/shop/funnels", ".row-figure strong"],
  ["site-waiting", "/sites/blog", ".copybox"],
  ["report", "/sites/shop/funnels/Shop", ".cards"],
  ["report-closed", "/sites/shop/funnels/Shop?preset=closed&range=all&is.campaign=spring-2026", ".cards"],
  ["report-breakdown", "/sites/shop/funnels/Shop?range=30d&tab=breakdown&by=channel&by=device", ".small-multiples"],
  ["report-trend", "/sites/shop/funnels/Shop?tab=trend", ".is-young, .tabbed table"],
  ["report-time", "/sites/shop/funnels/Shop?tab=time&bar=2", ".people"],
  ["report-moves", "/sites/shop/funnels/Shop?tab=moves", ".moves"],
  ["report-visitors", "/sites/shop/funnels/Shop?tab=visitors&figure=dropoff&stage=2", ".people"],
  ["dropoff", "/sites/shop/dropoff?funnel=Shop&stage=3", ".apart"],
  ["report-empty", "/sites/shop/funnels/Shop?from=2020-01-01&until=2020-01-31", ".empty"],
  ["report-long", `/sites/shop/funnels/${LONG}`, ".cards"],
  ["editor", "/sites/shop/funnels/Shop/edit", ".preview svg, .preview .bars"],
  ["new", "/sites/shop/funnels?new=campaign", ".stage"],
  ["unknown", "/nowhere", ".empty"],
  ...SITE_SCREENS,
  ...ACCESS_SCREENS,
  ...HEALTH_SCREENS,
];

async function checkScreen({ openPage }, url, [name, path, ready], look) {
  const page = await openPage(look);
  const said = [name, ...Object.values(look)].join("-");
  await page.goto(url + path);
  await page.waitForSelector(ready);
  await page.waitForTimeout(80);
  await checkWidth(page, said);
  await shoot(page, said);
  await checkAccess(page, said);
  const words = await page.locator("body").innerText();
  assert.doesNotMatch(words, /NaN|undefined|Infinity|\[object/, said);
  await page.close();
}

async function everyScreen(tools, screens) {
  const { server, url } = await startServer();
  for (const [width, scheme] of LOOKS)
    for (const screen of screens) await checkScreen(tools, url, screen, { width, scheme });
  server.close();
}

/* A browser's locale, the page's language then, and how it says "Sign in". */
const LANGUAGES = [
  ["en-GB", "en-GB", "Sign in"],
  ["id-ID", "id", "Masuk"],
  ["ms-MY", "ms", "Log masuk"],
  ["zh-CN", "zh-Hans", "登录"],
  ["pl-PL", "pl", "Logowanie"],
  ["fr-FR", "en-GB", "Sign in"],
];

/* Each language fits where English does: all screens with FULL=1, else the two with most on them. */
async function everyLanguage(tools) {
  const { server, url } = await startServer();
  const screens = process.env.FULL === undefined ? SCREENS.filter(([name]) => /^(overview|report)$/.test(name)) : SCREENS;
  for (const [locale, lang] of LANGUAGES)
    if (lang !== "en-GB")
      for (const screen of screens) await checkScreen(tools, url, screen, { width: 360, scheme: "light", locale });
  server.close();
}

/* The browser's language first; another one by choice, from then on. */
async function chosenLanguage({ openPage }) {
  const { server, url } = await startServer({ mode: "door" });
  for (const [locale, lang, title] of LANGUAGES) {
    const page = await openPage({ width: 800, locale });
    await page.goto(url);
    await page.waitForSelector(`html[lang=${lang}] h1:text-is('${title}')`);
    await page.locator(".language select").selectOption("zh");
    await page.waitForSelector("html[lang=zh-Hans] h1:text-is('登录')");
    await page.goto(url);
    await page.waitForSelector("html[lang=zh-Hans] h1:text-is('登录')");
    await page.close();
  }
  server.close();
}

async function doors({ openPage }) {
  for (const [mode, path, heading] of [
    ["door", "/", "Sign in"],
    ["setup", "/setup?token=good", "Create the first account"],
    ["setup", "/", "Create the first account"],
    ["insecure", "/", "This page needs https"],
  ]) {
    const { server, url } = await startServer({ mode });
    const page = await openPage({ width: 800 });
    await page.goto(url + path);
    await page.waitForSelector("h1");
    assert.equal(await page.locator("h1").innerText(), heading);
    await shoot(page, `door-${mode}${path === "/" ? "" : "-token"}`);
    await checkAccess(page, `door ${mode}`);
    if (mode !== "insecure" && (mode === "door" || path !== "/")) {
      await page.getByLabel("E-mail address").fill("owner@shop.example");
      await page.getByLabel("Password").fill("wrong-password");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".notice.is-error, h1:text('Sites')");
      if (mode === "door") {
        await shoot(page, "door-wrong");
        await page.getByLabel("Password").fill("a long enough one");
        await page.keyboard.press("Enter");
      } else {
        await page.getByLabel("Password").fill("a long enough one");
        await page.keyboard.press("Enter");
      }
      await page.waitForSelector("h1:text('Sites')");
    }
    await page.close();
    server.close();
  }
}

async function addSite({ openPage }) {
  const { server, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(url);
  await page.getByRole("button", { name: "Add a site" }).click();
  await page.getByLabel("Name").fill("my shop");
  await page.getByLabel("Domain").fill("my.example");
  await page.getByRole("button", { name: "Add the site" }).click();
  await page.waitForSelector(".field-error");
  await shoot(page, "add-site-error");
  await page.getByLabel("Name").fill("my-shop");
  await page.getByRole("button", { name: "Add the site" }).click();
  await page.waitForFunction(() => location.pathname === "/sites/my-shop");
  await page.waitForSelector("text=Shown only this once");
  await shoot(page, "add-site-done");
  await page.close();
  server.close();
}

/* A new funnel by keyboard alone: name, a stage moved, a value chosen, saved, and its report. */
async function editorByKeyboard({ openPage }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/funnels?new=shop`);
  await page.waitForSelector(".stage");
  const reach = async (check) => {
    for (let i = 0; i < 90; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(check)) return;
    }
    assert.fail(`not reached by keyboard: ${check}`);
  };
  await reach(() => document.activeElement.getAttribute("aria-label") === "Move Checkout up");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".stage-title").nth(1).innerText(), "Checkout");
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute("aria-label")),
    "Move Checkout up",
    "the keyboard stays where it was",
  );
  await page.keyboard.press("Alt+ArrowDown");
  assert.equal(await page.locator(".stage-title").nth(2).innerText(), "Checkout");
  await reach(() => document.activeElement.getAttribute("role") === "combobox");
  await page.waitForSelector("[role=option]");
  await page.keyboard.type("ref");
  await page.waitForFunction(() => document.querySelectorAll("[role=option]").length === 2);
  await page.keyboard.press("ArrowDown");
  await shoot(page, "editor-picker");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  assert.match(await page.locator(".stage").nth(2).innerText(), /refund/);
  await reach(() => document.activeElement.type === "submit");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".cards");
  const saved = state.funnels.at(-1).definition;
  assert.equal(saved.name, "Shop 2");
  assert.deepEqual(saved.stages[2].rule.values, ["checkout_started", "refund"]);
  await page.close();
  server.close();
}

/* An error of the server stands beside the field that it names. */
async function editorErrors({ openPage }) {
  const { server, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/funnels?new=blank`);
  await page.waitForSelector(".stage");
  await page.getByRole("button", { name: "Save funnel" }).click();
  await page.waitForSelector(".stage .field-error");
  assert.equal(await page.locator(".stage").nth(0).locator(".field-error").count(), 1);
  await shoot(page, "editor-error");
  await page.close();
  server.close();
}

/* Filters, range and comparison by the keyboard alone; all in the address, and back leads back. */
async function askByKeyboard({ openPage }) {
  const { server, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/funnels/Shop`);
  await page.waitForSelector(".cards");
  const at = (query) => page.waitForFunction((wanted) => location.search === wanted, query);
  await page.getByRole("button", { name: "Filter by campaign" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".pick-list li");
  await page.getByRole("searchbox").focus();
  await page.keyboard.type("spring");
  await page.waitForFunction(() => document.querySelectorAll(".pick-list li").length === 1);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await at("?is.campaign=spring-2026");
  await shoot(page, "filter-open");
  await checkAccess(page, "a filter's panel");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".menu-panel").count(), 0);
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute("aria-label")),
    "Change the filter Campaign: spring-2026",
    "the keyboard is back on the chip",
  );
  await page.getByRole("button", { name: /^Date range/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Last 7 days" }).focus();
  await checkAccess(page, "the range's panel");
  await page.keyboard.press("Enter");
  await at("?range=7d&is.campaign=spring-2026");
  await page.getByRole("button", { name: /^Compared with/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Not compared" }).focus();
  await page.keyboard.press("Enter");
  await at("?range=7d&compare=none&is.campaign=spring-2026");
  await page.getByRole("button", { name: "Filter by", exact: true }).click();
  await page.getByRole("button", { name: /^Device/ }).click();
  await page.getByRole("searchbox").fill("phone");
  await page.keyboard.press("Enter");
  await at("?range=7d&compare=none&is.campaign=spring-2026&is.device=phone");
  await page.getByRole("button", { name: "Remove the filter Campaign: spring-2026" }).click();
  await at("?range=7d&compare=none&is.device=phone");
  for (const query of [
    "?range=7d&compare=none&is.campaign=spring-2026&is.device=phone",
    "?range=7d&compare=none&is.campaign=spring-2026",
    "?range=7d&is.campaign=spring-2026",
    "?is.campaign=spring-2026",
    "",
  ]) {
    await page.goBack();
    await at(query);
  }
  await page.close();
  server.close();
}

/* What comes in shows without a hand on the page; when the server is away the old figures stay. */
async function live({ openPage }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/funnels/Shop`);
  await page.waitForSelector(".cards");
  state.funnels[0].definition.stages.pop();
  await page.getByRole("link", { name: /From the top/ }).click();
  await page.waitForFunction(() => location.search === "?preset=closed");
  await page.waitForFunction(() => document.querySelector(".result-words").textContent.startsWith("224 "));
  state.isDown = true;
  await page.waitForSelector(".report-foot .is-stale");
  assert.match(await page.locator(".result-words").innerText(), /^224 /);
  state.isDown = false;
  await page.waitForSelector(".report-foot .is-stale", { state: "detached" });
  await page.close();
  server.close();
}

/* ---- All of it: parts with complaints of their own, some at a time ---- */

function toolsWith(complaints) {
  return { openPage: (look) => openPage(complaints, look), startServer, shoot, checkAccess, checkWidth };
}

function partOf(name, act) {
  const run = async () => {
    const complaints = [];
    try {
      await act(toolsWith(complaints));
      assert.deepEqual(complaints.filter((text) => !text.includes("ERR_EMPTY_RESPONSE")), [], "no error, no policy violation, no dialog");
      return { failed: [], said: "" };
    } catch (error) {
      return { failed: [error.message.split("\n")[0]], said: error.stack };
    }
  };
  return { name: `browser: ${name}`, run };
}

/* the screens in so many heaps, which take about as long each */
const HEAPS = 4;
const heaps = Array.from({ length: HEAPS }, (_, k) => SCREENS.filter((_, i) => i % HEAPS === k));
const parts = [
  ...heaps.map((screens, k) => partOf(`screens ${k + 1} of ${HEAPS}`, (tools) => everyScreen(tools, screens))),
  ...Object.entries({
    everyLanguage, chosenLanguage, doors, addSite, editorByKeyboard, editorErrors, askByKeyboard, live,
    siteJourneys, accessJourneys, editorJourneys, healthJourneys,
  }).map(([name, act]) => partOf(name, act)),
];
const wanted = process.argv[2] ?? "";
let isGood = false;
try {
  isGood = await runTwice(parts.filter(({ name }) => name.includes(wanted)));
} finally {
  await browser.close();
}
if (isGood) console.log("browser: every screen and journey without a complaint");
process.exit(isGood ? 0 : 1);
