// From an empty installation to the first funnel, each step as a new owner does it: the first
// account, a site, its snippet on a real page, the first event, a template, a funnel with people in.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { complaints, openBrowser, until, visitor } from './browser.mjs';
import { Corong } from './corong.mjs';

const pictures = process.env.CORONG_SCREENSHOTS;
const owner = { email: 'owner@shop.example', password: 'correct horse battery' };
const guest = { email: 'ann@agency.example', password: 'a sentence to keep' };

let corong, browser, pages, shop, dashboard, wrong, started;
let secretKey;
let snippet = ''; // what the shop's pages embed

before(async () => {
  if (pictures) await mkdir(pictures, { recursive: true });
  pages = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><html><head><title>Tea</title>${snippet}</head><body>Tea</body></html>`);
  });
  await new Promise(resolve => pages.listen(0, '127.0.0.1', resolve));
  shop = `http://www.shop.example:${pages.address().port}`;
  corong = await Corong.up();
  browser = await openBrowser({ args: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  dashboard = await context.newPage();
  wrong = complaints(dashboard);
});
after(async () => {
  await browser?.close();
  await corong?.down();
  pages?.closeAllConnections();
  pages?.close();
});

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

const step = name => dashboard.getByRole('listitem').filter({ has: dashboard.getByRole('heading', { name }) });
const isDone = name => step(name).getByText('done', { exact: true }).waitFor();
const menu = name => dashboard.getByRole('navigation', { name: /^Screens/ }).getByRole('link', { name });

const sendEvents = (secret, events) =>
  fetch(new URL('/api/v1/events', corong.collector), {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });

async function open(page) {
  const context = await visitor(browser);
  const tab = await context.newPage();
  await tab.goto(page);
  return tab;
}

test('the first account, and at once the form of the first site', async () => {
  started = performance.now();
  await dashboard.goto(corong.firstAccount);
  await dashboard.getByLabel('E-mail address').fill(owner.email);
  await dashboard.getByLabel('Password').fill(owner.password);
  await dashboard.getByRole('button', { name: 'Create the account' }).click();
  await dashboard.getByLabel('Name').fill('shop');
  await dashboard.getByLabel('Domain').fill('shop.example');
  await picture(dashboard, 'start-site');
  await dashboard.getByRole('button', { name: 'Add the site' }).click();
  await isDone('Name the site');
});

test('the snippet is copied into a real page, and its first event arrives', async () => {
  const paste = step('Paste the snippet into your pages');
  secretKey = await paste.getByLabel('Secret key for your servers').inputValue();
  assert.match(secretKey, /^secret_/);
  await paste.getByRole('button', { name: 'Copy' }).first().click();
  snippet = await dashboard.evaluate(() => navigator.clipboard.readText());
  assert.match(snippet, /^<script.*data-site="site_[\w-]+".*<\/script>$/);
  await step('Watch the first event arrive').getByText('Waiting').waitFor();
  await picture(dashboard, 'start-waiting');

  // The aggregator publishes the site, then collectors read it. A key that they do not know is
  // refused for good.
  await until(async () => (await sendEvents(secretKey, [])).status !== 401);
  const page = await open(`${shop}/products/tea`);
  await isDone('Watch the first event arrive');
  await dashboard.getByText('The newest: pageview on www.shop.example/products/tea.').waitFor();
  await isDone('Paste the snippet into your pages');
  await picture(dashboard, 'start-arrived');
  await page.evaluate(() => window.corong('add_to_cart', { product: 'tea' }));
  await page.context().close();
});

test('a template becomes a funnel with that visitor in it', async t => {
  await step('Choose a template').getByRole('button', { name: /^Shop/ }).click();
  await dashboard.getByRole('heading', { name: 'Shop', exact: true }).waitFor();
  const figures = dashboard.getByRole('region', { name: "Each stage's figures" });
  await until(async () => /1\. Page view\D+1\D/.test(await figures.innerText()));
  await until(async () => /2\. Add to cart\D+1\D/.test(await figures.innerText()));
  const took = (performance.now() - started) / 1000;
  t.diagnostic(`from nothing to a funnel: ${took.toFixed(1)} s`);
  await picture(dashboard, 'start-funnel');
  await dashboard.getByRole('link', { name: 'shop', exact: true }).click();
  await dashboard.getByRole('heading', { name: 'shop', exact: true }).waitFor();
  assert.equal(await dashboard.locator('.start').count(), 0);
});

test('somebody is invited, and may what his role may', async () => {
  await menu('Settings').click();
  await dashboard.getByRole('link', { name: 'People', exact: true }).click();
  await dashboard.getByLabel('E-mail address').fill(guest.email);
  await dashboard.getByRole('button', { name: 'Make the link' }).click();
  const invitation = await dashboard.getByLabel(`Link for ${guest.email}`).inputValue();
  assert.ok(invitation.startsWith(`${new URL(corong.dashboard).origin}/invite#`), invitation);
  const page = await open(invitation);
  await page.getByText(`${guest.email} is invited to the site shop, as viewer.`).waitFor();
  await page.getByLabel('Password').fill(guest.password);
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('heading', { name: 'shop', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Journeys' }).click();
  await page.getByText(/^Viewers of this site see figures/).waitFor();

  const again = await open(invitation);
  await again.getByText(/^This invitation is not valid/).waitFor();
  await again.context().close();

  await dashboard.reload();
  await dashboard.getByLabel(`Role of ${guest.email}`).selectOption('editor');
  await dashboard.getByRole('button', { name: `Change the role of ${guest.email} to editor` }).click();
  await dashboard.getByText(`${guest.email} is now editor.`).waitFor({ state: 'attached' });
  await page.reload();
  await page.getByRole('searchbox').waitFor();
  await dashboard.getByRole('button', { name: `Remove ${guest.email}` }).click();
  await dashboard.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await dashboard.getByText(guest.email, { exact: true }).waitFor({ state: 'detached' });
  await page.reload();
  await page.getByText('There is nothing at this address.').waitFor();
  await page.context().close();
});

test('a shared report is for whoever has the link, until it is revoked', async () => {
  await menu('Funnels').click();
  await dashboard.getByRole('link', { name: /Page view → Add to cart/ }).click();
  await dashboard.getByRole('button', { name: 'Export', exact: true }).click();
  await dashboard.getByRole('button', { name: 'Share by a link…' }).click();
  await dashboard.getByRole('button', { name: 'Make the link' }).click();
  const link = await dashboard.getByLabel('Link for people').inputValue();
  const csv = await dashboard.getByLabel('Link for spreadsheets (CSV)').inputValue();
  const stranger = await open(link);
  await stranger.getByRole('heading', { name: 'Shop', exact: true }).waitFor();
  // one visitor: no figure of it is shown to a stranger
  assert.match(await stranger.getByRole('region', { name: 'All figures' }).innerText(), /1\. Page view\s+not shown/);
  await picture(stranger, 'share');
  const table = await (await fetch(csv)).text();
  assert.match(table, /^"row","stage","name","got_this_far"/);
  assert.match(table, /"total",1,"Page view",,/);
  await dashboard.getByRole('link', { name: 'All share links' }).click();
  await dashboard.getByRole('button', { name: 'Revoke the link Shop' }).click();
  await dashboard.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await dashboard.getByText('No share link yet.').waitFor();
  await stranger.reload();
  await stranger.getByText('This link is not valid (any more).').waitFor();
  await stranger.context().close();
});

test('a key asks the API until it is deleted', async () => {
  await dashboard.getByRole('link', { name: 'Keys', exact: true }).click();
  await dashboard.getByLabel('Name').fill('sheet');
  await dashboard.getByRole('button', { name: 'Make a key' }).click();
  const key = await dashboard.getByRole('textbox', { name: 'The key sheet' }).inputValue();
  const ask = () => fetch(new URL('/api/v1/sites/shop', corong.dashboard), { headers: { authorization: `Bearer ${key}` } });
  assert.equal((await ask()).status, 200);
  await dashboard.getByRole('button', { name: 'Delete the key sheet' }).click();
  await dashboard.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await dashboard.getByText('No key yet.').waitFor();
  assert.equal((await ask()).status, 401);
});

test('another secret key: it sends events, the former one does not', async () => {
  const send = secret =>
    sendEvents(secret, { visitor: 'bea', time: Date.now(), event: 'sale', order: '1', value: 5 });
  await until(async () => (await send(secretKey)).ok);
  await dashboard.getByRole('button', { name: 'Make another one' }).click();
  await dashboard.getByRole('dialog').getByRole('button', { name: 'Make another one' }).click();
  const renewed = await dashboard.getByLabel('The new secret key').inputValue();
  await until(async () => (await send(renewed)).ok);
  assert.equal((await send(secretKey)).status, 401);
});

test('a short link leads to its target, with a QR code', async () => {
  await menu('Sources and content').click();
  await dashboard.getByRole('link', { name: 'Campaign links' }).click();
  await dashboard.getByLabel('Page to lead to').fill(`${shop}/sale`);
  await dashboard.getByRole('textbox', { name: 'Campaign' }).fill('june');
  await dashboard.getByLabel(/^Short name/).fill('june');
  await dashboard.getByRole('button', { name: 'Make a short link of it' }).click();
  const address = await dashboard.getByLabel('june', { exact: true }).inputValue();
  await dashboard.getByRole('button', { name: 'QR code of june' }).click();
  await dashboard.getByRole('img', { name: `QR code of ${address}` }).waitFor();
  await picture(dashboard, 'links');
  await until(async () => (await fetch(address, { method: 'HEAD', redirect: 'manual' })).status === 302);
  const page = await open(address);
  assert.equal(page.url(), `${shop}/sale?utm_campaign=june`);
  await page.context().close();
});

test('whoever is erased is gone from the figures', async () => {
  await menu('Journeys').click();
  await dashboard.getByRole('searchbox').fill('bea');
  await dashboard.keyboard.press('Enter');
  await dashboard.getByRole('link', { name: 'bea', exact: true }).click();
  await dashboard.getByRole('button', { name: 'Erase…' }).click();
  await dashboard.getByRole('button', { name: 'Erase for good' }).click();
  await dashboard.getByText(/^bea is erased/).waitFor();
  await dashboard.reload();
  await dashboard.getByRole('heading', { name: 'bea' }).waitFor();
  await dashboard.locator('.empty').waitFor();
  await menu('Settings').click();
});

test('what was done is listed in words; a session elsewhere is ended', async () => {
  await dashboard.getByRole('link', { name: 'What was done' }).click();
  for (const words of ['saved the funnel Shop', 'invited somebody', `changed the role of ${guest.email}`, `removed ${guest.email}`, 'shared a report', 'made a key', 'made another secret key', 'made a short link', 'erased a visitor'])
    await dashboard.getByRole('cell', { name: words, exact: true }).waitFor();
  await picture(dashboard, 'audit');
  const elsewhere = await open(corong.dashboard);
  await elsewhere.getByLabel('E-mail address').fill(owner.email);
  await elsewhere.getByLabel('Password').fill(owner.password);
  await elsewhere.getByRole('button', { name: 'Sign in' }).click();
  await elsewhere.getByRole('heading', { name: 'Sites' }).waitFor();
  await dashboard.getByRole('link', { name: owner.email }).click();
  await dashboard.getByRole('button', { name: /^End the session/ }).click();
  await until(async () => (await dashboard.getByRole('button', { name: /^End the session/ }).count()) === 0);
  await elsewhere.reload();
  await elsewhere.getByRole('button', { name: 'Sign in' }).waitFor();
  await elsewhere.context().close();
});

test('the dashboard broke no rule of its own on the way', () => {
  assert.deepEqual(wrong, []);
});
