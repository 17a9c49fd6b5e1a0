// What a page tells by itself, in a real browser: one page, one behaviour.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBrowser, until, visitor } from './browser.mjs';
import { it, named, open, received, sent } from './snippet_page.mjs';

const ALL = 'data-track="outbound downloads forms"';
const TALL = '<link rel="stylesheet" href="/tall.css"><p class="tall">Long</p>';
const still = () => it.page.waitForTimeout(150);

// Pages that stay: a link is clicked, and nothing is left.
const STAY = `addEventListener('click', e => e.target.closest('a') && e.preventDefault());
              addEventListener('submit', e => e.preventDefault());`;
function page(body, data = ALL) {
  it.collector.script('/stay.js', STAY);
  it.collector.page('/', `${body}<script src="/stay.js"></script>`, { data });
}

// What a page says it was used lies between the shortest and the longest time it can have been, by the
// clock around what the test did, however slow the machine. Both ends are cut to whole milliseconds.
function usedBetween(engage, shortest, longest) {
  assert.ok(Number.isInteger(engage.engaged_ms));
  assert.ok(engage.engaged_ms >= shortest - 2, `${engage.engaged_ms} ms of at least ${shortest}`);
  assert.ok(engage.engaged_ms <= longest + 2, `${engage.engaged_ms} ms of at most ${longest}`);
}

test('leaving a page tells how long it was used, how far it was read, how fast it came', async () => {
  it.collector.pages['/tall.css'] = {
    headers: { 'content-type': 'text/css' },
    html: 'body { margin: 0 } .tall { height: 4000px; margin: 0 }',
  };
  it.collector.page('/', TALL + '<a href="/2">on</a>');
  const opened = Date.now();
  await open('/');
  await received('pageview');
  const seen = Date.now();
  const { innerHeight, height, load } = await it.page.evaluate(() => ({
    innerHeight,
    height: document.documentElement.scrollHeight,
    load: performance.getEntriesByType('navigation')[0].duration,
  }));
  const scrolled = y =>
    it.page.evaluate(
      y => new Promise(done => (addEventListener('scroll', done, { once: true }), scrollTo(0, y))),
      y
    );
  await scrolled(1000);
  await it.page.waitForTimeout(400);
  await scrolled(0);
  const left = Date.now();
  await open('/2');
  await received('engage');
  const [engage, ...more] = named('engage');
  assert.equal(engage.url, it.collector.origin + '/');
  usedBetween(engage, left - seen, engage.time - opened);
  assert.equal(engage.scroll_pct, Math.round((100 * (1000 + innerHeight)) / height));
  assert.equal(engage.load_ms, Math.trunc(load));
  assert.ok(engage.load_ms > 0);
  assert.equal(more.length, 0);
  assert.deepEqual(it.wrong, []);
});

test('a hidden tab does not count, and coming back tells only the time since', async () => {
  const opened = Date.now();
  await open('/');
  await received('pageview');
  const seen = Date.now();
  await it.page.waitForTimeout(300);
  // When it was done, by the page's own clock: before and after.
  const cover = async hidden =>
    it.page.evaluate(hidden => {
      const before = performance.now();
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      return { before, after: performance.now() };
    }, hidden);
  const left = Date.now();
  await cover(true);
  await received('engage');
  await it.page.waitForTimeout(500);
  const shown = await cover(false);
  await it.page.waitForTimeout(300);
  const hidden = await cover(true);
  await received('engage', 2);
  const [first, second] = named('engage');
  usedBetween(first, left - seen, first.time - opened);
  usedBetween(second, hidden.before - shown.after, hidden.after - shown.before);
  assert.equal(second.load_ms, undefined);
});

test('a page of a single-page site is left by its navigation', async () => {
  await open('/');
  await received('pageview');
  await it.page.waitForTimeout(200);
  await it.page.evaluate(() => history.pushState({}, '', '/a'));
  await received('pageview', 2);
  await received('engage');
  assert.equal(named('engage')[0].url, it.collector.origin + '/');
});

test('a declared click, with its properties, wherever in the element', async () => {
  page(`<button data-corong-event="plan" data-corong-name="pro" data-corong-billing-period="year">
          <b>Choose</b></button><p>Nothing</p>`);
  await open('/');
  await it.page.click('b');
  await received('plan');
  await it.page.click('p');
  await still();
  assert.equal(named('plan').length, 1);
  assert.deepEqual(named('plan')[0].properties, { name: 'pro', 'billing-period': 'year' });
  assert.deepEqual(it.wrong, []);
});

test('a declared form is told when it is sent, not when it is clicked', async () => {
  page(`<form data-corong-event="newsletter" data-corong-place="footer"><input name="id"><button>Go</button></form>`, '');
  await open('/');
  await received('pageview');
  await it.page.click('input');
  await still();
  assert.equal(named('newsletter').length, 0);
  await it.page.click('button');
  await received('newsletter');
  assert.equal(named('newsletter').length, 1);
  assert.deepEqual(named('newsletter')[0].properties, { place: 'footer' });
  assert.equal(named('form').length, 0); // not asked for
});

test('a click that the page keeps to itself is seen all the same', async () => {
  it.collector.script('/hold.js', `document.querySelector('button').onclick = e => e.stopPropagation()`);
  page('<button data-corong-event="held">x</button><script src="/hold.js"></script>');
  await open('/');
  await it.page.click('button');
  await received('held');
});

test('outbound links, by setting, without their queries', async () => {
  page(`<a id="out" href="https://partner.example/offer?token=secret#x"><i>there</i></a>
        <a id="in" href="/2">here</a> <a id="mail" href="mailto:a@b.example">mail</a>`);
  await open('/');
  await it.page.click('#in');
  await it.page.click('#mail');
  await it.page.click('i');
  await received('outbound');
  await it.page.click('#out', { button: 'middle' });
  await received('outbound', 2);
  assert.deepEqual(
    named('outbound').map(e => e.properties),
    [{ link: 'partner.example/offer' }, { link: 'partner.example/offer' }]
  );
});

test('downloads, by setting, here and elsewhere', async () => {
  page(`<a id="a" href="/files/Prices.PDF?v=2">a</a> <a id="b" href="https://cdn.example/app.dmg">b</a>
        <a id="c" href="/page.html">c</a>`);
  await open('/');
  await it.page.click('#c');
  await it.page.click('#a');
  await it.page.click('#b');
  await received('download', 2);
  assert.deepEqual(
    named('download').map(e => e.properties.link),
    [`localhost:${it.collector.port}/files/Prices.PDF`, 'cdn.example/app.dmg']
  );
  await received('outbound'); // which a file elsewhere is too
  assert.deepEqual(
    named('outbound').map(e => e.properties.link),
    ['cdn.example/app.dmg']
  );
});

test('forms, by setting, by their name and never by what is in them', async () => {
  page(`<form name="contact"><input name="id" value="secret"><button>Send</button></form>`);
  await open('/');
  await it.page.click('button');
  await received('form');
  assert.deepEqual(named('form')[0].properties, { form: 'contact' });
});

test('without the setting links and forms are not told', async () => {
  page(`<a id="out" href="https://partner.example/">x</a> <a id="d" href="/a.pdf">y</a>
        <form><button>Send</button></form>`, '');
  await open('/');
  for (const target of ['#out', '#d', 'button']) await it.page.click(target);
  await still();
  await sent();
  assert.deepEqual(
    it.collector.told.map(e => e.event),
    ['pageview']
  );
});

test('a click that leads away is told before the page is left', async () => {
  it.collector.page('/', `<a href="/2" data-corong-event="left">on</a>`);
  await open('/');
  await received('pageview');
  await it.page.click('a');
  await received('left');
});

test('script errors, five a page, cut, and no missing pictures', async () => {
  it.collector.script(
    '/broken.js',
    `for (let i = 0; i < 8; i++) setTimeout(() => { throw new Error(i + 'x'.repeat(500)) });`
  );
  it.collector.page('/', '<img src="/none.png"><script defer src="/broken.js"></script>');
  await open('/');
  await received('error', 5);
  await still();
  const errors = named('error');
  assert.equal(errors.length, 5);
  assert.match(errors[0].properties.message, /Error: 0x+$/);
  assert.equal(errors[0].properties.message.length, 200);
  assert.equal(errors[0].properties.source, it.collector.origin + '/broken.js');
  assert.equal(errors[0].properties.line, 1);
});

test('a promise that nobody catches is an error', async () => {
  await open('/');
  await it.page.evaluate(() => {
    Promise.reject(new Error('no stock'));
    Promise.reject('plain');
  });
  await received('error', 2);
  assert.deepEqual(
    named('error').map(e => e.properties.message),
    ['Error: no stock', 'plain']
  );
});

test('the same page three times is a sign of confusion', async () => {
  for (const [i, path] of ['/', '/2', '/', '/2', '/'].entries()) {
    await open(path);
    await received('pageview', i + 1);
  }
  await received('confused');
  assert.deepEqual(
    named('confused').map(e => [e.url, e.properties]),
    [[it.collector.origin + '/', { sign: 'same_page_3' }]]
  );
});

test('a rage click is a sign of confusion, selecting a paragraph is not', async () => {
  page('<button id="pay">Pay</button><p>Some words to read</p>');
  await open('/');
  await it.page.click('p', { clickCount: 3 });
  await it.page.mouse.click(1, 1); // lets go of the selection
  await it.page.click('#pay', { clickCount: 2 });
  await still();
  assert.equal(named('confused').length, 0);
  await it.page.waitForTimeout(600);
  await it.page.evaluate(() => [1, 2, 3, 4, 5].forEach(() => document.querySelector('#pay').click()));
  await received('confused');
  await still();
  assert.deepEqual(
    named('confused').map(e => e.properties),
    [{ sign: 'rage_click', on: 'pay' }]
  );
});

test('a page of the back/forward cache is seen again, and its time starts anew', async () => {
  const browser = await openBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    const page = await (await visitor(browser)).newPage();
    const there = () => named('engage').filter(e => e.url === it.collector.origin + '/');
    const times = []; // of each stay: it began and ended between these
    // Open the page in this way, stay a while, and go on to the next one.
    const stay = async (arrive, pageviews) => {
      const begun = Date.now();
      await arrive();
      await received('pageview', pageviews);
      const seen = Date.now();
      await page.waitForTimeout(300);
      times.push({ begun, seen, left: Date.now() });
      await page.goto(it.collector.origin + '/2');
      await until(() => there().length === times.length);
    };
    await stay(async () => {
      await page.goto(it.collector.origin + '/');
      await page.evaluate(() => {
        window.isSame = true;
      });
    }, 1);
    await page.waitForTimeout(500);
    await stay(async () => {
      await page.goBack({ waitUntil: 'commit' }); // what was kept loads no more
      await until(() => page.evaluate(() => window.isSame)); // else the cache was not used
    }, 3);
    for (const [i, engage] of there().entries())
      usedBetween(engage, times[i].left - times[i].seen, engage.time - times[i].begun);
    assert.equal(new Set(it.collector.events.map(e => e.id)).size, it.collector.events.length);
  } finally {
    await browser.close();
  }
});

test('with storage blocked everything is told as well', async () => {
  it.collector.page('/', '<button data-corong-event="pressed">x</button>', {
    headers: { 'content-security-policy': 'sandbox allow-scripts' },
  });
  await open('/');
  await it.page.click('button');
  await received('pressed');
  await it.page.waitForTimeout(150);
  await open('/2');
  await until(() => named('engage').some(e => e.url === it.collector.origin + '/'));
  const visitors = it.collector.beacons.filter(b => b.events[0].url === it.collector.origin + '/');
  assert.equal(new Set(visitors.map(b => b.visitor)).size, 1);
  assert.deepEqual(it.wrong, []);
});
