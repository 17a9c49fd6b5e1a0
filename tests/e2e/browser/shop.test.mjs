// The demonstration shop: every page works, and tells what a shop should.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { complaints, openBrowser, until, visitor } from './browser.mjs';
import { StandIn } from './stand_in.mjs';

let browser, collector;
const pictures = process.env.CORONG_SCREENSHOTS;

before(async () => {
  browser = await openBrowser();
  collector = await StandIn.start();
  if (pictures) await mkdir(pictures, { recursive: true });
});
after(async () => {
  await browser?.close();
  await collector?.stop();
});

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

test('from the home page to a sale', async () => {
  const context = await visitor(browser, { viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const wrong = complaints(page);
  collector.beacons = [];
  await page.goto(`${collector.origin}/shop/`);
  await picture(page, 'shop-home');
  await page.click('nav >> text=Teaware');
  await page.click('text=Jade Teapot');
  await page.click('button:has-text("Add to basket")');
  await picture(page, 'shop-product');
  await page.click('text=In the basket');
  await picture(page, 'shop-basket');
  await page.click('main >> text=Checkout');
  await picture(page, 'shop-checkout');
  await page.click('text=Pay now');
  await page.waitForSelector('#ordered:not([hidden])');
  await picture(page, 'shop-thanks');
  await until(() => collector.events.some(e => e.event === 'item'));

  const names = new Set(collector.told.map(e => e.event));
  assert.deepEqual([...names].sort(), ['add_to_cart', 'checkout', 'item', 'pageview', 'sale']);
  const sale = collector.events.find(e => e.event === 'sale');
  assert.equal(sale.value, 64);
  assert.equal(sale.currency, 'SGD');
  assert.match(sale.order, /^demo-\d+$/);
  const item = collector.events.find(e => e.event === 'item');
  assert.deepEqual(
    [item.product, item.category, item.quantity, item.value],
    ['jade-teapot', 'teaware', 1, 64]
  );
  assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 1);

  await page.reload(); // an order is told once
  await until(() => collector.events.filter(e => e.event === 'pageview').length >= 7);
  assert.equal(collector.events.filter(e => e.event === 'sale').length, 1);
  assert.deepEqual(wrong, []);
  await context.close();
});

test('the ways in carry their campaigns, and somebody new is', async () => {
  const context = await visitor(browser);
  const page = await context.newPage();
  collector.beacons = [];
  await page.goto(`${collector.origin}/shop/`);
  await page.click('footer >> text=newsletter');
  await page.waitForSelector('#pay');
  await until(() => collector.events.some(e => e.event === 'checkout'));
  const landing = collector.events.find(e => e.url.includes('checkout.html'));
  assert.match(landing.url, /utm_source=newsletter&utm_medium=email&utm_campaign=refill-by-mail/);
  await page.click('footer >> text=somebody new');
  await until(() => new Set(collector.beacons.map(b => b.visitor)).size === 2);
  await context.close();
});

test('on a phone nothing is cut off', async () => {
  const context = await visitor(browser, { viewport: { width: 360, height: 740 } });
  const page = await context.newPage();
  for (const name of ['', 'tea.html', 'product-clay-cups.html', 'checkout.html?utm_source=newsletter']) {
    await page.goto(`${collector.origin}/shop/${name}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
  }
  await picture(page, 'shop-phone');
  await context.close();
});
