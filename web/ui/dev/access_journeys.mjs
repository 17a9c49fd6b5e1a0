/* What people do with people, keys, share links and sessions, in a real browser. */
import assert from "node:assert/strict";

export const ACCESS_SCREENS = [
  ["people", "/sites/shop/settings/people", ".access-list"],
  ["keys", "/sites/shop/settings/keys", ".access-list"],
  ["shares", "/sites/shop/settings/shares", ".access-list"],
  ["audit", "/sites/shop/settings/audit", ".audit"],
  ["account", "/account", ".access-list"],
  ["invite", "/invite#new", "form"],
  ["invite-bad", "/invite#gone", ".door p:nth-child(2)"],
  ["share", "/share#good", ".chart svg, .chart .bars"],
  ["share-bad", "/share#gone", ".empty"],
];

/* A role, a removal, an invitation and its end: by the keyboard where it matters. */
async function people({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/settings`);
  await page.getByRole("link", { name: "People", exact: true }).press("Enter");
  await page.getByLabel("Role of bo@shop.example").selectOption("editor");
  assert.equal(state.people[1].role, "viewer", "nothing is changed by choosing");
  await page.getByRole("button", { name: "Change the role of bo@shop.example to editor" }).press("Enter");
  await page.getByText("bo@shop.example is now editor.").waitFor({ state: "attached" });
  assert.equal(state.people[1].role, "editor");
  await page.getByRole("button", { name: "Remove bo@shop.example" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await shoot(page, "people-remove");
  await checkAccess(page, "the question before a person is removed");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).press("Enter");
  await page.getByText("bo@shop.example", { exact: true }).waitFor({ state: "detached" });
  assert.equal(state.people.length, 2);

  await page.getByLabel("E-mail address").fill("wrong@x");
  await page.keyboard.press("Enter");
  await page.locator(".field-error").waitFor();
  await page.getByLabel("E-mail address").fill("dee@shop.example");
  await page.getByRole("combobox", { name: "Role", exact: true }).selectOption("editor");
  await page.getByRole("button", { name: "Make the link" }).press("Enter");
  const box = page.getByLabel("Link for dee@shop.example");
  assert.equal(await box.inputValue(), `${url}/invite#TOKEN`);
  await shoot(page, "people-invited");
  await checkAccess(page, "an invitation's link");
  assert.equal(state.invitations.at(-1).role, "editor");
  await page.getByRole("button", { name: "Withdraw the invitation of cy@shop.example" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).press("Enter");
  await page.getByText("cy@shop.example", { exact: true }).waitFor({ state: "detached" });
  assert.deepEqual(state.invitations.map(({ email }) => email), ["dee@shop.example"]);
  await page.close();
  server.close();
}

/* A key is shown once, and gone when it is deleted; a share link is made from the report. */
async function keysAndShares({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/sites/shop/settings/keys`);
  await page.getByLabel("Name", { exact: true }).fill("night job");
  await page.getByLabel(/^read/).uncheck();
  await page.locator("button:disabled", { hasText: "Make a key" }).waitFor();
  await page.getByLabel(/^send events/).check();
  await page.getByRole("button", { name: "Make a key" }).press("Enter");
  assert.equal(await page.getByRole("textbox", { name: "The key night job" }).inputValue(), "corong_new1SECRET");
  assert.deepEqual(state.keys.at(-1).scopes, ["write_events"]);
  await shoot(page, "keys-made");
  await page.getByRole("button", { name: "Delete the key shop server" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).press("Enter");
  await page.getByText("shop server", { exact: true }).waitFor({ state: "detached" });
  assert.equal(state.keys.length, 2);

  await page.getByRole("button", { name: "Make another one" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Make another one" }).press("Enter");
  assert.equal(await page.getByLabel("The new secret key").inputValue(), "secret_anew");

  await page.goto(`${url}/sites/shop/funnels/Shop?range=7d&tab=breakdown&by=channel&by=device`);
  await page.getByRole("button", { name: "Export", exact: true }).press("Enter");
  await page.getByRole("button", { name: "Share by a link…" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.getByText("Only the first attribute of the breakdown is shared.").waitFor();
  await shoot(page, "share-dialog");
  await checkAccess(page, "the dialog to share");
  await page.getByLabel("The link ends").selectOption("");
  await page.getByRole("button", { name: "Make the link" }).press("Enter");
  assert.equal(await page.getByLabel("Link for people").inputValue(), `${url}/share#TOKEN`);
  assert.equal(await page.getByLabel("Link for spreadsheets (CSV)").inputValue(), `${url}/api/v1/share/TOKEN.csv`);
  await shoot(page, "share-made");
  const { days, expires_days: ends, question } = state.shares.at(-1);
  assert.deepEqual([days, ends, question.breakdown, question.from], [7, null, [{ attribute: "channel" }], undefined]);
  await page.getByRole("link", { name: "All share links" }).press("Enter");
  await page.getByRole("button", { name: "Revoke the link June" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).press("Enter");
  await page.getByText("June", { exact: true }).waitFor({ state: "detached" });
  assert.equal(state.shares.length, 2);
  await page.close();
  server.close();
}

/* An invitation opened by somebody new and by somebody known. */
async function invited({ openPage, startServer, shoot, checkAccess }) {
  for (const token of ["new", "known"]) {
    const { server, state, url } = await startServer({ mode: "door" });
    const page = await openPage({ width: 800 });
    await page.goto(`${url}/invite#${token}`);
    await page.getByText("cy@shop.example is invited to the site shop, as viewer.").waitFor();
    await checkAccess(page, `an invitation of somebody ${token}`);
    if (token === "known") {
      await page.getByLabel("Password").fill("wrong-password");
      await page.keyboard.press("Enter");
      await page.getByText("That is not the password of this account.").waitFor();
      await shoot(page, "invite-wrong");
    }
    await page.getByLabel("Password").fill("a long enough one");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.pathname === "/sites/shop" && location.hash === "");
    assert.equal(state.session.account.email, "cy@shop.example");
    await page.close();
    server.close();
  }
}

/* A session is ended; what was done is paged; a viewer is told what is not for viewers. */
async function account({ openPage, startServer, shoot, checkAccess }) {
  const { server, state, url } = await startServer();
  const page = await openPage({ width: 1280 });
  await page.goto(`${url}/`);
  await page.getByRole("link", { name: "owner@shop.example" }).click();
  await page.getByText("Firefox on Linux").waitFor();
  await page.getByRole("button", { name: "End the session of Safari on iPhone" }).press("Enter");
  await page.getByText("Safari on iPhone").waitFor({ state: "detached" });
  assert.deepEqual(state.sessions.map(({ current }) => current), [true]);

  await page.goto(`${url}/sites/shop/settings/audit`);
  await page.getByText("saved the funnel Spring/<b>sale</b>").first().waitFor();
  await page.getByText("the key 2").first().waitFor();
  await page.getByText("POST /api/v1/sites/shop/new-thing").first().waitFor();
  await page.getByRole("button", { name: "Show earlier ones" }).press("Enter");
  await page.getByText("150 changes").waitFor();
  assert.equal(await page.locator(".audit tbody tr").count(), 150);

  Object.assign(state.sites[0], { role: "viewer", may_see_visitors: false });
  for (const [path, words] of [
    ["settings/people", "Only owners of this site see this page. Your role here: viewer."],
    ["settings/shares", "Only editors and owners of this site see this page. Your role here: viewer."],
    ["funnels/Shop/edit", "Only editors and owners of this site see this page. Your role here: viewer."],
    ["settings", "You can look at these settings; editors and owners of this site change them."],
    ["journeys", /^Viewers of this site see figures, not single visitors/],
  ]) {
    await page.goto(`${url}/sites/shop/${path}`);
    await page.getByText(words).waitFor();
  }
  await page.goto(`${url}/sites/shop/settings`);
  await page.locator("#site input:disabled").first().waitFor();
  await shoot(page, "settings-viewer");
  await checkAccess(page, "settings for a viewer");
  await page.close();
  server.close();
}

export async function accessJourneys(tools) {
  await people(tools);
  await keysAndShares(tools);
  await invited(tools);
  await account(tools);
}
