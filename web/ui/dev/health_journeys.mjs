/* Files of a report, and the page Data health, in a real browser: its rows add up, what is wrong is said, and it goes on when
 * the server does. */
import assert from "node:assert/strict";
import { illHealth } from "./health_answers.mjs";

export const HEALTH_SCREENS = [
  ["health", "/sites/shop/health", ".health-lists"],
  ["health-waiting", "/sites/blog/health", "#left-out-title"],
];

const number = (text) => Number(text.replaceAll(",", "").replace(/[^\d.-]/g, ""));

/* Down to the counted row every row is taken off or put on. */
async function rowsAddUp(page) {
  const table = page.getByRole("table", { name: "From what was received to what is counted" });
  const cells = await table.locator("tbody tr").evaluateAll((all) => all.map((row) => row.cells[1].textContent));
  const total = await table.locator("tfoot td").first().innerText();
  assert.ok(cells.length > 3);
  assert.equal(cells.map(number).reduce((sum, one) => sum + one, 0), number(total));
}

async function fromOverviewAndLive({ openPage, startServer, shoot, checkAccess }) {
  const { server, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop?range=30d`);
  await page.getByRole("link", { name: "What was refused, repeated or left out" }).press("Enter");
  await page.getByRole("heading", { name: "Data health", level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/sites/shop/health");
  await page.locator("#shared-title").waitFor();
  await rowsAddUp(page);
  await page.locator("summary", { hasText: "Of the whole installation" }).press("Enter");
  await page.getByText("Unknown site").waitFor();
  await checkAccess(page, "data health with all of it open");
  await shoot(page, "health-open");
  await page.getByRole("combobox", { name: "Funnel" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => location.search.includes("funnel="));
  await page.getByRole("link", { name: "01J8V4B7" }).first().press("Enter");
  await page.waitForFunction(() => location.pathname.includes("/journeys/"));
  await page.goBack();
  await page.getByRole("heading", { name: "Data health", level: 1 }).waitFor();
  await page.goto(`${url}/sites/shop/live`);
  await page.getByRole("link", { name: "What is left out, and why" }).press("Enter");
  await page.getByRole("heading", { name: "Data health", level: 1 }).waitFor();
  await page.close();
  server.close();
}

async function whatIsWrong({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  for (const [width, scheme] of [[1280, "dark"], [360, "light"]]) {
    state.health = illHealth();
    const page = await openPage({ width, scheme });
    await page.goto(`${url}/sites/shop/health`);
    await page.getByText("stream_lost").waitFor();
    assert.ok((await page.locator(".health-list .is-wrong").count()) >= 8);
    await page.getByText("Redis is away, and with it these counts").waitFor();
    await page.locator("#shared-title").waitFor();
    await checkAccess(page, "data health with all of it wrong");
    await shoot(page, `health-ill-${width}`);
    await page.close();
  }
  server.close();
}

async function serverBusy({ openPage, startServer }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.clock.install();
  await page.goto(`${url}/sites/shop/health`);
  await page.getByText("crawler Googlebot/").waitFor();
  state.isDown = true;
  await page.clock.runFor(10_500);
  await page.getByText(/^Not refreshed since/).waitFor();
  assert.equal(await page.getByText("Opted out").count(), 1, "the old figures stay");
  state.isDown = false;
  await page.clock.runFor(10_500);
  await page.getByText(/^Not refreshed since/).waitFor({ state: "detached" });
  await page.close();
  server.close();
}

/* Every tab that is a table can be taken away as a file, with the question that is shown. */
async function files({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  const take = async (tab, name, ready = ".export-table") => {
    await page.goto(`${url}/sites/shop/funnels/Shop?${tab}`);
    await page.locator(ready).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name, exact: true }).press("Enter")]);
    return [download.suggestedFilename(), state.exports.at(-1)];
  };
  const [stages, ofStages] = await take("range=30d", "Table of stages as Excel");
  assert.match(stages, /^Shop-stages-\d{4}-\d\d-\d\d\.xlsx$/);
  assert.equal(ofStages.what, "stages");
  assert.ok(ofStages.from && ofStages.to && ofStages.as_of);
  await checkAccess(page, "a report with its files");
  await shoot(page, "report-files");
  const [rows, ofRows] = await take("tab=breakdown&by=channel", "Rows, with every stage's figures as CSV");
  assert.match(rows, /^Shop-breakdown-.*\.csv$/);
  assert.equal(ofRows.breakdown[0].attribute, "channel");
  const [people, ofPeople] = await take("tab=visitors&figure=dropoff&stage=2", "All visitors behind this figure as Excel");
  assert.match(people, /^Shop-visitors-.*\.xlsx$/);
  assert.deepEqual([ofPeople.figure, ofPeople.stage], ["dropoff", 2]);
  assert.equal(ofPeople.compare, undefined, "a list is of the main range");
  await page.goto(`${url}/sites/shop/funnels/Shop?tab=time`);
  await page.locator(".tabbed table").first().waitFor();
  assert.equal(await page.locator(".export-table").count(), 0, "times are no table of the server's");
  await page.close();
  server.close();
}

export async function healthJourneys(tools) {
  await files(tools);
  await fromOverviewAndLive(tools);
  await whatIsWrong(tools);
  await serverBusy(tools);
}
