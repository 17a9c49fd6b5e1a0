/* What people do on the screens of a site besides the report, in a real browser. */
import assert from "node:assert/strict";

export const SITE_SCREENS = [
  ["settings", "/sites/shop/settings", ".finding"],
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
  await page.getByText("Events arrive: 1 event so far").waitFor({ timeout: 10_000 });
  await page.close();
  server.close();
}

export async function siteJourneys(tools) {
  await settings(tools);
  await retention(tools);
  await firstEvent(tools);
}
