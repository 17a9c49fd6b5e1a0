// From a click on a filter to the answer on the screen, in a real browser, over a data folder as bench/query.mjs leaves it
// (bench-generate's shop, imported):
//
//     node bench/screen.mjs DATA SITE [ROUNDS]
//
// The folder is copied. Each click is on a row that was not asked for before, so that no kept result answers it. Timed in
// the page: from the click to the frame after the answer's words have changed.
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Corong } from "../tests/e2e/browser/corong.mjs";
import { openBrowser } from "../tests/e2e/browser/browser.mjs";
import { describeMachine, median } from "./machine.mjs";

const [data, site, rounds = "5"] = process.argv.slice(2);
if (site === undefined) {
  console.error("usage: node bench/screen.mjs DATA SITE [ROUNDS]");
  process.exit(2);
}
const FUNNEL = {
  window: "30d",
  stages: ["pageview", "add_to_cart", "sale"].map((event) => ({
    name: event,
    rule: { attribute: "event", op: "is", values: [event] },
  })),
};

/* In the page: click on a row, and how many ms until the frame in which the answer's words have changed; null where
 * there is no such row. It watches without asking for frames itself. */
async function clickAndWait({ rows, words, row }) {
  const link = document.querySelectorAll(rows)[row];
  const said = () => document.querySelector(words)?.textContent ?? "";
  const before = said();
  if (link === undefined || before === "") return null;
  const start = performance.now();
  const changed = new Promise((done) => {
    const observer = new MutationObserver(() => {
      if (said() === "" || said() === before) return;
      observer.disconnect();
      done();
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  link.click();
  await changed;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}

/* Where the clicks are: an address, the rows' links, and the words of the answer to them. */
const report = (attribute) => ({
  name: attribute,
  path: `/funnels/Shop?range=all&tab=breakdown&by=${attribute}`,
  rows: "table.breakdown tbody th a",
  words: ".report-body:not(.is-waiting) .result-words", // counts; times and values come after them
});
const PLACES = [
  ...["device", "country", "region", "campaign", "product"].map(report),
  {
    name: "country, on the overview",
    path: "?range=all",
    rows: "[aria-labelledby=list-places] tbody th a",
    words: ".overview[aria-busy=false] .sentence",
  },
];

const folder = mkdtempSync(join(tmpdir(), "corong-screen-"));
cpSync(data, folder, { recursive: true });
const corong = await Corong.on(folder);
const browser = await openBrowser();
try {
  const file = join(folder, "funnel.json");
  writeFileSync(file, JSON.stringify(FUNNEL));
  await corong.run("funnel", "put", site, "Shop", file);
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(60_000);
  await page.goto(corong.firstAccount);
  await page.getByLabel("E-mail address").fill("bench@shop.example");
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Create the account" }).click();
  await page.getByRole("button", { name: "Create the account" }).waitFor({ state: "detached" });

  console.log(describeMachine(folder));
  console.log("| filter by | from the click to the answer on the screen: median (all) |\n| --- | --- |");
  for (const place of PLACES) {
    const times = [];
    for (let row = 0; row < Number(rounds); row++) {
      await page.goto(`${new URL(corong.dashboard).origin}/sites/${site}${place.path}`);
      await page.locator(place.rows).first().waitFor();
      await page.locator(place.words).waitFor();
      await page.waitForLoadState("networkidle");
      const ms = await page.evaluate(clickAndWait, { ...place, row });
      if (ms !== null) times.push(Math.round(ms));
    }
    console.log(`| ${place.name} | ${median(times)} ms (${times.join(", ")}) |`);
  }
} finally {
  await browser.close();
  await corong.down();
}
