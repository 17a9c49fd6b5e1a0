// Who somebody is, consent, and the shop's own words, in a real browser: one page, one behaviour.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './browser.mjs';
import { it, named, open, received, sent, sentAgain, stored, waiting } from './snippet_page.mjs';

const call = (name, ...rest) =>
  it.page.evaluate(([name, ...rest]) => window.corong[name](...rest), [name, ...rest]);
const beacons = () => it.collector.requests.filter(r => r === 'POST /e').length;
const own = async () => (await stored()).filter(key => key.startsWith('corong'));

test('where consent is required, nothing is stored or sent before it', async () => {
  it.collector.page('/', '<button data-corong-event="pressed">x</button>', {
    data: 'data-consent="required"',
  });
  await open('/');
  await it.page.click('button');
  await it.page.evaluate(() => {
    window.corong('early');
    history.pushState({}, '', '/a');
  });
  await it.page.waitForTimeout(200);
  assert.deepEqual(await stored(), []);
  assert.deepEqual(await it.context.cookies(), []);
  assert.equal(beacons(), 0);
});

test('consent tells where the visitor came in, also after navigation', async () => {
  it.collector.page('/', '', { data: 'data-consent="required"' });
  await it.page.goto(it.collector.origin + '/?utm_source=mail', {
    referer: 'https://mail.example/',
  });
  await it.page.evaluate(() => history.pushState({}, '', '/a'));
  await call('consent', true);
  await received('pageview', 2);
  const [landing, second] = named('pageview');
  assert.equal(landing.url, it.collector.origin + '/?utm_source=mail');
  assert.equal(landing.referrer, 'https://mail.example/');
  assert.equal(second.url, it.collector.origin + '/a');
  assert.ok(landing.time < second.time || (landing.time === second.time && landing.id < second.id));
  assert.deepEqual(it.wrong, []);
});

test('consent lasts, and ends with the id and the queue', async () => {
  for (const path of ['/', '/2']) it.collector.page(path, '', { data: 'data-consent="required"' });
  await open('/');
  await call('consent', true);
  await received('pageview');
  await open('/2');
  await received('pageview', 2);
  it.collector.answer = () => 503;
  await it.page.evaluate(() => window.corong('click'));
  await received('click');
  await until(async () => (await waiting()) > 0);
  await call('consent', false);
  assert.deepEqual(await own(), ['corong.consent']);
  await it.page.waitForTimeout(150); // more than a page's least engagement
  const before = it.collector.told.length;
  await open('/');
  await it.page.waitForTimeout(200);
  assert.equal(it.collector.told.length, before);
});

test('forget deletes all there is', async () => {
  await open('/');
  await received('pageview');
  await sent();
  await call('set', { plan: 'pro' });
  await call('forget');
  assert.deepEqual(await stored(), []);
  assert.deepEqual(await it.context.cookies(), []);
});

for (const [respect, signal] of [
  ['gpc', () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })],
  ['dnt', () => Object.defineProperty(navigator, 'doNotTrack', { value: '1' })],
])
  test(`${respect}, where the site respects it`, async () => {
    it.collector.page('/', '', { data: `data-respect="${respect}"` });
    await it.page.addInitScript(signal);
    await open('/');
    await it.page.waitForTimeout(200);
    assert.deepEqual(await stored(), []);
    assert.equal(beacons(), 0);
    await open('/2'); // has no such setting
    await received('pageview');
    assert.equal(beacons(), 1);
  });

test('the opt-out link, and the one back', async () => {
  await open('/');
  await received('pageview');
  await sent();
  await open('/?corong=off');
  assert.deepEqual(await own(), ['corong-mode']);
  await open('/2');
  await it.page.waitForTimeout(200);
  assert.equal(it.collector.told.length, 1);
  await open('/?corong=on');
  await received('pageview', 2);
});

test('id, reset, code and set', async () => {
  await open('/');
  await received('pageview');
  await sent();
  const id = await call('id');
  assert.equal(id, it.collector.beacons[0].visitor);
  assert.equal(await call('code'), id.slice(13, 23));
  await call('set', { plan: 'pro' });
  await open('/2');
  await received('pageview', 2);
  assert.deepEqual(named('pageview')[1].properties, { plan: 'pro' });
  await call('reset');
  assert.notEqual(await call('id'), id);
  await it.page.evaluate(() => window.corong('click'));
  await received('click');
  assert.equal(named('click')[0].properties, undefined);
});

test('beforeSend has the last word', async () => {
  it.collector.script(
    '/early.js',
    `window.corong = window.corong || function () { (corong.q = corong.q || []).push(arguments) };
     corong.beforeSend = e => e.event === 'secret' ? null : {...e, url: e.url.split('?')[0]}`
  );
  it.collector.page('/', '<script src="/early.js"></script>');
  await open('/?token=1');
  await it.page.evaluate(() => {
    window.corong('secret');
    window.corong('open');
  });
  await received('open');
  assert.deepEqual(
    it.collector.told.map(e => e.event),
    ['pageview', 'open']
  );
  assert.ok(it.collector.events.every(e => e.url === it.collector.origin + '/'));
  assert.deepEqual(it.wrong, []);
});

test('a sale with items', async () => {
  await open('/');
  await it.page.evaluate(() =>
    window.corong('sale', {
      order: '77',
      value: 12.5,
      currency: 'USD',
      items: [{ product: 'tea', category: 'green', quantity: 2, value: 10 }, { product: 'cup', value: 2.5 }],
    })
  );
  await received('item', 2);
  const [sale] = named('sale');
  for (const item of named('item')) assert.equal(item.time, sale.time);
  assert.deepEqual(
    named('item').map(e => [e.id, e.order, e.product, e.value]),
    [
      ['77/0', '77', 'tea', 10],
      ['77/1', '77', 'cup', 2.5],
    ]
  );
});

test('a shop that tells GA4 tells us', async () => {
  it.collector.script(
    '/shop.js',
    `window.dataLayer = window.dataLayer || [];
     function gtag() { dataLayer.push(arguments) }
     gtag('event', 'add_to_cart', {currency: 'USD', items: [{item_id: 'tea', price: 5, quantity: 2}]});
     addEventListener('load', () => dataLayer.push({event: 'purchase', ecommerce:
       {transaction_id: 'T1', value: 10, currency: 'USD', items: [{item_id: 'tea', price: 5, quantity: 2}]}}))`
  );
  it.collector.page('/', '<script src="/shop.js"></script><script defer src="/corong-datalayer.js"></script>');
  await open('/');
  await received('sale');
  await received('item');
  await received('add_to_cart');
  const [sale] = named('sale');
  assert.deepEqual([sale.order, sale.value, sale.currency], ['T1', 10, 'USD']);
  assert.deepEqual([named('item')[0].product, named('item')[0].value], ['tea', 10]);
  assert.equal(named('add_to_cart')[0].product, 'tea');
  assert.deepEqual(it.wrong, []);
});

test('a page whose element is called corong', async () => {
  it.collector.page('/', '<div id="corong"></div>'); // browsers make it window.corong
  await open('/');
  await received('pageview');
  await it.page.evaluate(() => window.corong('click'));
  await received('click');
});

test('the core alone', async () => {
  it.collector.page('/', '<button data-corong-event="pressed">x</button>', { file: 'corong-core.js' });
  await open('/');
  await it.page.click('button');
  await it.page.evaluate(() => window.corong('click'));
  await received('click');
  await it.page.waitForTimeout(150);
  await open('/2');
  await received('pageview', 2);
  assert.deepEqual(
    it.collector.told.map(e => e.event),
    ['pageview', 'click', 'pageview']
  );
  assert.ok(named('engage').every(e => e.url.endsWith('/2')));
});

test('a fifth of all beacons sent twice changes nothing', async () => {
  // Every fifth answer is lost after the collector has taken the beacon: the snippet sends it again.
  let n = 0;
  it.collector.answer = () => (++n % 5 ? 204 : 0);
  await open('/');
  for (let i = 0; i < 40; i++) {
    await it.page.evaluate(i => window.corong('step', { properties: { i } }), i);
    await until(() => named('step').length > i);
  }
  it.collector.answer = () => 204;
  await sentAgain();
  const copies = new Map();
  for (const e of it.collector.events) copies.set(e.id, [...(copies.get(e.id) || []), JSON.stringify(e)]);
  assert.ok(it.collector.events.length >= 1.15 * copies.size, `${it.collector.events.length} of ${copies.size}`);
  for (const same of copies.values()) assert.equal(new Set(same).size, 1);
  const steps = [...copies.values()].map(([e]) => JSON.parse(e)).filter(e => e.event === 'step');
  assert.deepEqual(
    steps.map(e => e.properties.i).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i)
  );
  assert.equal(new Set(it.collector.beacons.map(b => b.visitor)).size, 1);
});
