/* The funnel editor in a browser: by mouse, by keyboard alone, on a phone's width; two who edit the
 * same funnel; its versions; JSON that is wrong; leaving with changes; saved filters. */
import assert from "node:assert/strict";

const EDITOR = "/sites/shop/funnels/Shop/edit";
const names = (page) => page.locator(".stage-title").allInnerTexts();
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);

async function open(tools, options = {}) {
  const { server, state, url } = await tools.startServer();
  const page = await tools.openPage({ width: 1280, ...options });
  await page.goto(url + EDITOR);
  await page.waitForSelector(".preview svg, .preview .bars");
  return { page, state, url, close: async () => (await page.close(), server.close()) };
}

/* Presses Tab until `check` holds in the page. */
async function reach(page, check, argument) {
  for (let i = 0; i < 160; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(check, argument)) return;
  }
  assert.fail(`not reached by keyboard: ${check} ${argument}`);
}
const isNamed = (name) => (document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent) === name;

async function byMouse(tools, width) {
  const { page, close } = await open(tools, { width });
  const shown = () => page.locator(".preview-figures").last().innerText();
  const before = await shown();
  const handle = await page.locator(".stage-handle").first().boundingBox();
  const third = await page.locator(".stage").nth(2).boundingBox();
  await page.mouse.move(handle.x + 5, handle.y + 5);
  await page.mouse.down();
  await page.mouse.move(handle.x + 5, handle.y + 60, { steps: 3 });
  await page.mouse.move(third.x + 30, third.y + third.height - 10, { steps: 5 });
  assert.equal(await page.locator(".is-dragged").count(), 1);
  assert.equal(await page.locator(".is-drop-after").count(), 1);
  await tools.shoot(page, `editor-drag-${width}`);
  await page.mouse.up();
  assert.deepEqual(await names(page), ["Add to cart", "Checkout", "Page view", "Sale"]);
  await page.getByText("Page view is now stage 3").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Undo" }).click();
  assert.deepEqual(await names(page), ["Page view", "Add to cart", "Checkout", "Sale"]);

  /* a stage by its kind: redrawn from data before anything is saved, beside what is saved */
  await page.getByRole("button", { name: "Add a stage", exact: true }).click();
  await page.getByRole("button", { name: /^Engagement/ }).click();
  assert.match(await page.locator(".stage").last().innerText(), /product_added_to_cart/);
  await page.waitForSelector(".sides");
  await page.waitForFunction((old) => [...document.querySelectorAll(".preview-figures")].at(-1).textContent !== old, before);
  assert.match(await page.locator(".side").first().innerText(), /As saved, version 1/);
  assert.equal(await page.locator(".preview table").first().locator("tbody tr").count(), 5);
  await page.locator(".stage").last().locator("input").first().click();
  await page.waitForFunction(() => /^Matches [\d,]+ events of [\d,]+ visitors, overlaps stage 1 \(Page view\) by [\d.]+%/.test(
    [...document.querySelectorAll(".matches")].at(-1).textContent));
  await tools.checkWidth(page, `editor at ${width}`);
  await tools.checkAccess(page, `editor, changed, at ${width}`);
  await tools.shoot(page, `editor-changed-${width}`);
  await close();
}

async function byKeyboard(tools, width) {
  const { page, state, close } = await open(tools, { width });
  await reach(page, isNamed, "Move Checkout up");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assert.deepEqual(await names(page), ["Checkout", "Page view", "Add to cart", "Sale"]);
  assert.equal(await focused(page), "Move Checkout up", "the keyboard stays where it was");
  await page.keyboard.press("Control+z");
  assert.deepEqual(await names(page), ["Page view", "Checkout", "Add to cart", "Sale"]);
  await page.keyboard.press("Control+Shift+z");
  await page.keyboard.press("Alt+ArrowDown");
  assert.deepEqual(await names(page), ["Page view", "Checkout", "Add to cart", "Sale"]);
  await reach(page, isNamed, "Add a stage");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.match(await focused(page), /^Response/);
  await page.keyboard.press("Enter");
  assert.equal((await names(page)).at(-1), "Response");
  await reach(page, () => document.activeElement.closest(".save-bar .field") !== null);
  await page.keyboard.type("by hand");
  await reach(page, () => document.activeElement.type === "submit");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".cards");
  assert.deepEqual(state.funnels[0].definition.stages.map((stage) => stage.name), ["Page view", "Checkout", "Add to cart", "Sale", "Response"]);
  assert.deepEqual([state.funnels[0].version, state.funnels[0].note], [2, "by hand"]);
  await close();
}

/* Somebody else saves between: nothing of the draft is lost, and nothing of theirs unseen. */
async function twoEditors(tools) {
  const { page, state, close } = await open(tools);
  await page.getByLabel("Stage's name").nth(1).fill("Basket");
  const [theirs] = state.funnels;
  const older = [{ ...theirs }];
  Object.assign(theirs, { version: 2, author: "ben@shop.example", note: "no checkout", older });
  theirs.definition = { ...theirs.definition, stages: theirs.definition.stages.filter((stage) => stage.name !== "Checkout") };
  await page.getByRole("button", { name: "Save funnel" }).click();
  const notice = page.locator(".notice.is-error");
  await notice.getByText("ben@shop.example saved version 2 on").waitFor();
  await notice.getByText("Their note: no checkout").waitFor();
  assert.deepEqual(await names(page), ["Page view", "Basket", "Checkout", "Sale"], "the draft is as it was");
  await tools.checkAccess(page, "a conflict");
  await tools.shoot(page, "editor-conflict");
  await notice.getByRole("button", { name: "Draw theirs beside mine" }).click();
  await page.locator(".side h3", { hasText: "Version 2" }).waitFor();
  await notice.getByRole("button", { name: "Save mine as the newest version" }).click();
  await page.waitForSelector(".cards");
  assert.equal(state.funnels[0].version, 3);
  assert.deepEqual(state.funnels[0].definition.stages.map((stage) => stage.name), ["Page view", "Basket", "Checkout", "Sale"]);

  /* back in the editor: version 2 comes back, as version 4 */
  await page.getByRole("link", { name: "Edit funnel" }).click();
  await page.locator(".versions summary").click();
  await page.getByRole("button", { name: "Compare with version 2" }).click();
  await page.locator(".side h3", { hasText: "Version 2" }).waitFor();
  await tools.checkAccess(page, "versions");
  await tools.checkWidth(page, "versions");
  await tools.shoot(page, "editor-versions");
  await page.getByRole("button", { name: "Restore version 2" }).click();
  await page.getByText("Version 2 is restored, as version 4.").waitFor();
  assert.deepEqual(await names(page), ["Page view", "Add to cart", "Sale"]);
  assert.equal(state.funnels[0].version, 4);
  await close();
}

/* What is wrong with a pasted funnel is named by line and field; the draft stays. */
async function brokenJson(tools) {
  const { page, state, close } = await open(tools);
  await page.getByText("As JSON").first().click();
  const box = page.locator("textarea.code");
  const good = await box.inputValue();
  const say = async (json) => {
    await box.fill(json);
    await page.getByRole("button", { name: "Use this JSON" }).click();
    return page.locator(".json .field-error").innerText();
  };
  assert.match(await say(good.replace('"kind": "sale"', '"kind": "sail"')), /line \d+, stages\[3\]\.kind: one of trace/);
  const selected = await box.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.match(selected, /"kind": "sail"/);
  assert.match(await say(good.replace('"window": "7d",', '"window" "7d",')), /line \d+: unexpected "/);
  await tools.checkAccess(page, "a wrong JSON");
  assert.deepEqual(await names(page), ["Page view", "Add to cart", "Checkout", "Sale"]);
  const file = { name: "funnel.json", mimeType: "application/json", buffer: Buffer.from(good.replace("Checkout", "Till")) };
  await page.locator("input[type=file]").setInputFiles(file);
  await page.locator(".stage-title", { hasText: "Till" }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download", exact: true }).click()]);
  assert.equal(download.suggestedFilename(), "Shop.json");
  assert.equal(state.funnels[0].version, 1, "nothing is saved by it");
  await close();
}

/* Nobody loses a draft by a link or by the back button. */
async function leaving(tools) {
  const { page, url, close } = await open(tools);
  await page.goto(`${url}/sites/shop/funnels`);
  await page.getByRole("link", { name: "Edit Shop" }).click();
  await page.getByLabel("Stage's name").first().fill("Arrival");
  for (const leave of [
    () => page.getByRole("link", { name: "Overview" }).click(),
    () => page.goBack(),
    () => page.getByRole("link", { name: "Cancel" }).click(),
  ]) {
    await leave();
    await page.getByRole("dialog").getByText("Leave without saving?").waitFor();
    await page.getByRole("button", { name: "Stay here" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(new URL(page.url()).pathname, EDITOR);
    assert.equal(await page.getByLabel("Stage's name").first().inputValue(), "Arrival");
  }
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Leave, lose the changes" }).click();
  await page.waitForFunction(() => location.pathname === "/sites/shop/overview");
  await close();
}

/* Filters saved by one are picked by another, on the overview as on a report. */
async function savedFilters(tools) {
  const { page, state, url, close } = await open(tools);
  await page.goto(`${url}/sites/shop/funnels/Shop?is.campaign=spring-2026&is_not.product=teapot`);
  await page.waitForSelector(".cards");
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByLabel("Save these filters as").fill("Spring");
  await page.keyboard.press("Enter");
  await page.locator(".saved-filter", { hasText: "Spring" }).waitFor();
  assert.deepEqual(state.filters[0].filters.map(({ at }) => at), [undefined, "none"]);
  await tools.checkAccess(page, "saved filters");
  await tools.shoot(page, "saved-filters");
  await page.goto(`${url}/sites/shop?range=30d`);
  await page.waitForSelector(".sentence");
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByRole("button", { name: /^Spring/ }).click();
  await page.waitForFunction(() => location.search === "?range=30d&is.campaign=spring-2026&is_not.product=teapot");
  await page.getByRole("button", { name: "Saved filters" }).click();
  await page.getByRole("button", { name: "Forget the saved filters Spring" }).click();
  await page.getByText("Nobody of this site has saved filters yet.").waitFor();
  assert.deepEqual(state.filters, []);
  await close();
}

export async function editorJourneys(tools) {
  const widths = process.env.FULL === undefined ? [[1280, byMouse], [360, byKeyboard]] : [[1280, byMouse], [360, byMouse], [1280, byKeyboard], [360, byKeyboard]];
  for (const [width, journey] of widths) await journey(tools, width);
  for (const journey of [twoEditors, brokenJson, leaving, savedFilters]) await journey(tools);
}
