/* What people do on the screens of a site besides the report, in a real browser. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const SITE_SCREENS = [
  ["settings", "/sites/shop/settings", ".finding"],
  ["journeys", "/sites/shop/journeys", ".found-count"],
  ["journeys-none", "/sites/shop/journeys?id=nobody", ".empty"],
  ["journey", "/sites/shop/journeys/customer-1234", ".count-marks"],
  ["journey-unknown", "/sites/shop/journeys/nobody", ".empty"],
  ["content", "/sites/shop/content", ".content-table"],
  ["content-pages", "/sites/shop/content?by=path", ".content-table"],
  ["content-links", "/sites/shop/content?by=links", ".copybox"],
  ["live", "/sites/shop/live", ".live-list"],
  ["live-empty", "/sites/blog/live", ".empty"],
  ["settings-waiting", "/sites/blog/settings", ".finding"],
];

/* A change is saved by itself, the tag to paste anew is shown, a wrong field says so. */
async function settings({ openPage, startServer, shoot }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop`);
  await page.getByRole("link", { name: "Settings" }).click();
  const privacy = page.locator("#privacy");
  await privacy.waitFor();
  assert.ok(await privacy.getByRole("button", { name: "Save" }).isDisabled());
  await privacy.getByLabel("Required").check();
  await privacy.getByRole("button", { name: "Save" }).click();
  await privacy.locator(".copybox").waitFor();
  assert.match(await privacy.locator("textarea").inputValue(), /data-consent="required"/);
  assert.equal(state.sites[0].consent, "required");
  assert.match(await page.locator(".findings").innerText(), /consent is required/);
  await shoot(page, "settings-tag");

  const site = page.locator("#site");
  await site.getByLabel("Domain").fill("shop example");
  await site.getByRole("button", { name: "Save" }).click();
  await site.locator(".field-error").waitFor();
  await site.getByRole("button", { name: "Undo" }).click();
  assert.equal(await site.getByLabel("Domain").inputValue(), "shop.example");
  await site.getByLabel("Time zone").selectOption("Europe/Warsaw");
  await site.getByRole("button", { name: "Save" }).click();
  await site.getByText("Saved", { exact: true }).waitFor();
  assert.equal(state.sites[0].timezone, "Europe/Warsaw");

  const groups = page.locator("#groups");
  await groups.getByRole("button", { name: /^\/products\/\*\*/ }).click();
  await groups.getByText("2 of the 5 most frequent paths, 13,200 events").waitFor();
  await groups.getByRole("button", { name: "Save" }).click();
  await groups.getByText("Saved", { exact: true }).waitFor();
  assert.deepEqual(state.sites[0].page_groups, [{ name: "Products", globs: ["/products/**"] }]);
  await page.locator("#sources").getByLabel("Ignored referrers").fill("pay.example\nlogin.example");
  await page.locator("#sources").getByRole("button", { name: "Save" }).click();
  await page.locator("#sources").getByText("Saved", { exact: true }).waitFor();
  assert.deepEqual(state.sites[0].ignored_referrers, ["pay.example", "login.example"]);
  await page.close();
  server.close();
}

/* Keeping less is asked for twice; keeping more is not. By keyboard. */
async function retention({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/settings`);
  const part = page.locator("#retention");
  await part.getByLabel("No longer than").check();
  await part.getByRole("button", { name: "Save" }).press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.match(await dialog.innerText(), /13 months/);
  await shoot(page, "settings-retention");
  await checkAccess(page, "retention's question");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal(state.sites[0].retention, "never");
  await part.getByRole("button", { name: "Save" }).press("Enter");
  await dialog.getByRole("button", { name: "Delete what is older" }).press("Enter");
  await part.getByText("Saved", { exact: true }).waitFor();
  assert.equal(state.sites[0].retention, "13mo");
  await part.getByLabel("For ever").check();
  await part.getByRole("button", { name: "Save" }).press("Enter");
  await part.getByText("Saved", { exact: true }).waitFor();
  assert.equal(state.sites[0].retention, "never");
  await page.close();
  server.close();
}

/* The page for a site that has received nothing notices the first event. */
async function firstEvent({ openPage, startServer }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/blog/settings`);
  await page.getByText("No event has arrived yet").waitFor();
  Object.assign(state.sites[1], { events: 1, last_event: new Date().toISOString() });
  await page.getByText("Events arrive: 1 event so far").waitFor();
  await page.close();
  server.close();
}

/* From a figure's list to one person: search, pages, the line, the file, the question before erasing. */
async function people({ openPage, startServer, shoot, checkAccess }) {
  const { server, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/journeys`);
  await page.getByText("120 visitors").waitFor();
  assert.equal(await page.locator("a.visitor").count(), 50);
  await page.getByRole("button", { name: "Show more" }).press("Enter");
  await page.waitForFunction(() => document.querySelectorAll("a.visitor").length === 100);
  await page.waitForFunction(() => document.activeElement.matches("tr:nth-child(51) a.visitor"));
  await page.getByLabel("Got as far as").selectOption("4");
  await page.waitForFunction(() => location.search.includes("stage=4"));
  await page.getByText(/^2[0-9] visitors$/).waitFor();
  await page.goBack();
  await page.getByText("120 visitors").waitFor();

  await page.getByLabel("Search by").selectOption("order");
  await page.getByRole("searchbox").fill("order-77");
  await page.keyboard.press("Enter");
  await page.getByText("1 visitor", { exact: true }).waitFor();
  await page.getByRole("link", { name: "customer-1234" }).click();
  await page.getByRole("heading", { name: "customer-1234" }).waitFor();
  assert.equal(await page.locator(".line-event.is-counted").count(), 3);
  assert.match(await page.locator(".line-gap").innerText(), /1 d 11 h later/);
  assert.match(await page.locator(".line").innerText(), /900,000\.5/);
  await page.locator(".line-what summary").first().press("Enter");
  await page.locator(".line-what dd").getByText("Jakarta", { exact: true }).first().waitFor();
  await page.locator(".line-what summary").nth(1).press("Enter");
  await page.getByText("Stage 1, Page view: an earlier event is counted for it").waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export" }).click()]);
  assert.equal(file.suggestedFilename(), "visitor-customer-1234.ndjson");
  const lines = readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.event), ["page_viewed", "page_viewed", "product_added_to_cart", "page_viewed", "checkout_completed"]);
  await page.getByRole("button", { name: "Erase…" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await shoot(page, "journey-erase");
  await checkAccess(page, "erase's question");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByLabel("Stages of").selectOption("");
  await page.waitForFunction(() => document.querySelectorAll(".line .mark").length === 0);
  await page.getByRole("button", { name: "Erase…" }).press("Enter");
  await page.getByRole("button", { name: "Erase for good" }).press("Enter");
  await page.getByText("customer-1234 is erased").waitFor();
  await page.getByText("There is a backup that could not be told.").waitFor();
  await page.close();
  server.close();
}

/* Channel, source, campaign, keyword: one click each, each a filter; pages; a link to copy. */
async function sources({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/content`);
  for (const [row, by] of [["paid search", "source"], ["google", "campaign"], ["<b>autumn</b>", "keyword"]]) {
    await page.getByRole("link", { name: row, exact: true }).click();
    await page.waitForFunction((wanted) => location.search.includes(`by=${wanted}`), by);
  }
  assert.equal(await page.locator(".ask-chip").count(), 3);
  await page.getByText(/Search engines send no keyword \(18 of 900 visitors/).waitFor();
  assert.match(await page.locator("tfoot").innerText(), /All of these\s+900\s+13\.3%/);
  await page.getByRole("link", { name: "Pages", exact: true }).click();
  await page.getByText("Time a visitor").waitFor();
  await page.getByRole("link", { name: "Campaign links" }).click();
  await page.getByRole("textbox", { name: "Source" }).fill("news letter");
  await page.getByLabel(/^Short name/).fill("june!");
  await page.getByRole("button", { name: "Make a short link of it" }).press("Enter");
  await page.locator(".field-error").waitFor();
  await page.getByLabel(/^Short name/).fill("flyer");
  await page.getByRole("button", { name: "Make a short link of it" }).press("Enter");
  await page.getByText("https://stats.shop.example/r/flyer leads there now.").waitFor();
  await page.getByRole("button", { name: "QR code of flyer" }).press("Enter");
  await page.getByRole("img", { name: "QR code of https://stats.shop.example/r/flyer" }).waitFor();
  await shoot(page, "content-qr");
  await checkAccess(page, "a link's QR code");
  await page.getByRole("button", { name: "Remove the short link june" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).press("Enter");
  await page.getByText("https://shop.example/sale?utm_source=flyer").waitFor({ state: "detached" });
  assert.deepEqual(state.links.map(({ slug }) => slug), ["flyer"]);
  assert.equal(await page.getByLabel("The link").inputValue(), "https://shop.example/?utm_source=news+letter");
  await page.getByLabel("Page to lead to").fill("javascript:alert(1)");
  await page.locator(".field-error").waitFor();
  assert.equal(await page.getByLabel("The link").count(), 0);
  await page.close();
  server.close();
}

/* A new event shows by itself; nothing is asked for while paused; an event leads to its visitor. */
async function live({ openPage, startServer }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/live`);
  await page.getByText("14 visitors in the last 5 minutes").waitFor();
  state.liveExtra = ["newsletter_signup"];
  await page.getByText("newsletter_signup").waitFor();
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await page.getByText("Paused", { exact: true }).waitFor();
  state.liveExtra = [];
  const polls = state.livePolls;
  await page.getByRole("button", { name: "Go on" }).press("Enter");
  await page.getByText("newsletter_signup").waitFor({ state: "detached" });
  assert.ok(state.livePolls > polls);
  await page.getByRole("link", { name: "customer-1234" }).first().click();
  await page.getByRole("heading", { name: "customer-1234" }).waitFor();
  await page.close();
  server.close();
}

export async function siteJourneys(tools) {
  await settings(tools);
  await retention(tools);
  await firstEvent(tools);
  await people(tools);
  await sources(tools);
  await live(tools);
}
