// The snippet in a real browser: one page, one behaviour.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { complaints, openBrowser, until, visitor } from './browser.mjs';
import { SITE, StandIn } from './stand_in.mjs';

let browser, collector, context, page, wrong;

before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

beforeEach(async () => {
  collector = await StandIn.start();
  collector.page('/');
  collector.page('/2');
  context = await visitor(browser);
  page = await context.newPage();
  wrong = complaints(page);
});
afterEach(async () => {
  await context.close();
  await collector.stop();
});

const open = path => page.goto(collector.origin + path);
const paths = () => collector.told.map(e => new URL(e.url).pathname);
const waiting = () =>
  page.evaluate(() => Object.keys(localStorage).filter(key => key.startsWith('corong.site_')).length);
const received = n => until(() => collector.told.length >= n);
// As when the browser comes back on line. What is under way just then waits for the next time: hence
// as often as it takes.
const sentAgain = (...tabs) =>
  until(async () => {
    for (const tab of tabs) await tab.evaluate(() => dispatchEvent(new Event('online')));
    return (await waiting()) === 0;
  });

test('a page view, once, under a strict CSP', async () => {
  const before = Date.now();
  await open('/');
  await received(1);
  const [beacon] = collector.beacons;
  assert.equal(beacon.site, SITE);
  assert.match(beacon.visitor, /^\d{15,33}$/);
  const made = Number(beacon.visitor.slice(0, 13));
  assert.ok(before <= made && made <= beacon.sent && beacon.sent <= Date.now());
  assert.match(beacon.type, /^text\/plain/);
  const [event] = beacon.events;
  assert.equal(event.event, 'pageview');
  assert.equal(event.title, 'Page /');
  assert.equal(event.url, collector.origin + '/');
  await until(async () => (await waiting()) === 0);
  assert.deepEqual(wrong, []);
});

test('the next page is the same visitor and names the page before', async () => {
  collector.page('/', '<a href="/2">on</a>');
  await open('/');
  await received(1);
  await until(async () => (await waiting()) === 0);
  await page.click('a');
  await received(2);
  assert.deepEqual(paths(), ['/', '/2']);
  assert.equal(collector.told[1].referrer, collector.origin + '/');
  assert.equal(collector.beacons[0].visitor, collector.beacons[1].visitor);
});

test('history navigation counts, the same address does not', async () => {
  await open('/');
  await received(1);
  await page.evaluate(() => history.pushState({}, '', '/a'));
  await page.evaluate(() => history.replaceState({ x: 1 }, '', '/a#here'));
  await page.evaluate(() => history.pushState({}, '', '/b'));
  await received(3);
  await page.goBack();
  await received(4);
  assert.deepEqual(paths(), ['/', '/a', '/b', '/a']);
  assert.equal(collector.told[2].referrer, collector.origin + '/a');
});

test('a reload is another view of the page', async () => {
  await open('/');
  await received(1);
  await page.reload();
  await received(2);
  assert.deepEqual(paths(), ['/', '/']);
  assert.notEqual(collector.told[0].id, collector.told[1].id);
});

test('events and sales, with calls from before the script was there', async () => {
  collector.script(
    '/early.js',
    `window.corong = window.corong || function () { (corong.q = corong.q || []).push(arguments) };
     corong('signup', {properties: {plan: 'free'}})`
  );
  collector.page('/', '<script src="/early.js"></script>');
  await open('/');
  await received(2);
  await page.evaluate(() => window.corong('sale', { order: '77', value: 12.5, currency: 'USD' }));
  await received(3);
  const [sale] = collector.told.slice(2);
  assert.deepEqual([sale.event, sale.order, sale.value, sale.currency], ['sale', '77', 12.5, 'USD']);
  const signup = collector.told.find(e => e.event === 'signup');
  assert.deepEqual(signup.properties, { plan: 'free' });
  assert.deepEqual(wrong, []);
});

test('an event noted as the page is left arrives', async () => {
  collector.page('/', '<a href="/2">on</a>');
  await open('/');
  await received(1);
  await page.evaluate(() =>
    document.querySelector('a').addEventListener('click', () => window.corong('left'))
  );
  await page.click('a');
  await received(3);
  assert.ok(collector.told.some(e => e.event === 'left'));
});

test('with storage blocked a page has one id and counts', async () => {
  // A sandboxed page is of no origin: localStorage throws there, as with cookies blocked.
  collector.page('/', '', { headers: { 'content-security-policy': 'sandbox allow-scripts' } });
  await open('/');
  await received(1);
  assert.equal(
    await page.evaluate(() => {
      try {
        return typeof localStorage;
      } catch (error) {
        return error.name;
      }
    }),
    'SecurityError'
  );
  await page.evaluate(() => window.corong('click'));
  await received(2);
  assert.equal(collector.beacons[0].visitor, collector.beacons[1].visitor);
  assert.deepEqual(wrong, []);
});

test('a collector that answers 503 gets everything when it is back, once each', async () => {
  collector.answer = () => 503;
  await open('/');
  await page.evaluate(() => window.corong('sale', { order: '1' }));
  await received(2);
  await page.clock.install();
  await open('/2');
  await received(3);
  const different = () => new Map(collector.events.map(e => [e.id, e]));
  await until(async () => (await waiting()) === different().size);
  const noted = different();

  collector.answer = () => 204;
  collector.beacons = [];
  await until(async () => {
    await page.clock.fastForward(31_000); // half a minute later the queue goes by itself
    return (await waiting()) === 0;
  });
  const ids = collector.events.map(e => e.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [id, event] of noted)
    assert.deepEqual(
      collector.events.find(e => e.id === id),
      event
    );
  assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 1);
});

test('an answer that is lost means the same event once more', async () => {
  let n = 0;
  collector.answer = () => (n++ ? 204 : 0); // it has the event, and the answer does not arrive
  await open('/');
  await received(1);
  await sentAgain(page);
  assert.deepEqual(collector.told[0], collector.told[1]);
});

test('off line it keeps, on line it sends', async () => {
  await open('/');
  await received(1);
  await until(async () => (await waiting()) === 0);
  await context.setOffline(true);
  const failed = page.waitForEvent('requestfailed');
  await page.evaluate(() => window.corong('sale', { order: '2' }));
  await failed;
  await until(async () => (await waiting()) === 1);
  await context.setOffline(false);
  await until(async () => (await waiting()) === 0);
  assert.deepEqual(
    collector.told.map(e => e.event),
    ['pageview', 'sale']
  );
});

test('what is refused for good is dropped, and takes nothing with it', async () => {
  collector.answer = ({ events }) => (events.some(e => e.event === 'bad') ? 400 : 204);
  await open('/');
  await received(1);
  await page.evaluate(() => {
    window.corong('good');
    window.corong('bad');
  });
  await until(async () => (await waiting()) === 0);
  const accepted = collector.beacons.filter(b => b.status === 204).flatMap(b => b.events);
  assert.deepEqual(accepted.map(e => e.event).sort(), ['good', 'pageview']);
});

test('to another origin without a preflight', async () => {
  const shop = await StandIn.start();
  try {
    shop.page('/', '', {
      origin: collector.origin,
      headers: {
        'content-security-policy': `default-src 'none'; script-src ${collector.origin}; connect-src ${collector.origin}`,
      },
    });
    await page.goto(`http://127.0.0.1:${shop.port}/`);
    await received(1);
    await until(async () => (await waiting()) === 0);
    assert.deepEqual(
      collector.requests.filter(r => !r.startsWith('GET')),
      ['POST /e']
    );
    assert.deepEqual(wrong, []);
  } finally {
    await shop.stop();
  }
});

test('two tabs at once lose nothing', async () => {
  collector.answer = () => 0;
  const tabs = [page, await context.newPage()];
  await Promise.all(tabs.map(tab => tab.goto(collector.origin + '/')));
  await Promise.all(
    tabs.map(tab =>
      tab.evaluate(() => {
        for (let i = 0; i < 20; i++) window.corong('click');
      })
    )
  );
  await until(async () => (await waiting()) === 42);
  collector.answer = () => 204;
  collector.beacons = [];
  await sentAgain(...tabs);
  assert.equal(new Set(collector.told.map(e => e.id)).size, 42);
});
