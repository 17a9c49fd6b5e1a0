// What the dashboard promises, on the demonstration and in a real browser: six clicks to the drivers
// of a campaign by world region, the report by the keyboard alone, every page at every width in both
// themes. FULL=1: all widths and themes. How fast it is gets said, never judged.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { complaints, until } from './browser.mjs';
import { corongOk } from '../lib/corong.mjs';
import { PAGES, show, startDemo } from './demo_pages.mjs';

const LOOKS = process.env.FULL === undefined
  ? [[360, 'light']]
  : [360, 768, 1280, 1920].flatMap(width => [[width, 'light'], [width, 'dark']]);

let demo;
before(async () => {
  demo = await startDemo();
});
after(() => demo?.stop());

const paramsOf = page => new URL(page.url()).searchParams;
const number = text => Number(text.replace(/[^\d]/g, ''));

test('the drivers of a campaign by world region, by product, time and keyword: six clicks', async () => {
  const page = await demo.open({ viewport: { width: 1280, height: 1000 } });
  const wrong = complaints(page);
  let clicks = 0;
  const click = async what => {
    await what.click();
    clicks++;
    await page.locator('[aria-busy=true], .is-waiting').first().waitFor({ state: 'detached' });
  };
  const card = name => page.locator('.list-card', { has: page.getByRole('heading', { name, exact: true }) });
  const row = (name, value) => card(name).getByRole('link', { name: value, exact: true });

  await page.goto(`${demo.service.web}/sites/demo`);
  await click(row('Campaigns', 'tea-search'));
  await click(row('Campaigns', 'jasmine tea')); // the campaign is chosen: its keywords are shown
  await click(row('Products', 'jasmine-pearls'));
  await click(page.getByRole('button', { name: /^Date range/ }));
  await click(page.getByRole('button', { name: 'Last 90 days' }));
  await click(card('What brought them').getByRole('link', { name: 'By world region' }));
  await page.locator('table.breakdown tbody tr').first().waitFor();
  assert.ok(clicks <= 6, String(clicks));

  const asked = paramsOf(page);
  assert.equal(asked.get('is.campaign'), 'tea-search');
  assert.equal(asked.get('is.keyword'), 'jasmine tea');
  assert.equal([...asked].find(([name]) => name.startsWith('is.product'))?.[1], 'jasmine-pearls');
  assert.equal(asked.get('range'), '90d');
  assert.deepEqual(asked.getAll('by'), ['channel', 'continent']);
  const rows = await page.locator('table.breakdown tbody tr').evaluateAll(all => all.map(tr => [...tr.children].map(cell => cell.textContent)));
  assert.ok(rows.length >= 2 && rows.some(cells => cells.includes('Asia')), JSON.stringify(rows));
  const sum = rows.reduce((n, cells) => n + number(cells[3]), 0);
  const total = await page.locator('table.breakdown tfoot td').nth(1).innerText();
  assert.equal(sum, number(total));
  assert.deepEqual(wrong, []);
  await page.context().close();
});

test('a report by the keyboard alone, from its filters to one visitor', async () => {
  const page = await demo.open();
  const wrong = complaints(page);
  await show(page, demo.service.web, ['', '/sites/demo/funnels/Shop?range=90d', '.cards']);
  const at = () => page.evaluate(() => {
    const { activeElement: element } = document;
    /* parts of drawings are outlined by a stroke */
    const drawn = element.matches('svg a') ? element.querySelector('path, rect:not([fill=none])') : null;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const isStroked = drawn !== null && getComputedStyle(drawn).strokeWidth === '2px';
    const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
    return { name: name.trim(), tag: element.tagName, isSeen: isStroked || (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none' };
  });
  /* presses Tab until it is there; what has the keyboard shows it */
  const reach = async pattern => {
    for (let i = 0; i < 150; i++) {
      await page.keyboard.press('Tab');
      const here = await at();
      if (here.tag !== 'BODY') assert.ok(here.isSeen, `${here.tag} ${here.name} does not show that it has the keyboard`);
      if (pattern.test(here.name)) return;
    }
    assert.fail(`not reached by keyboard: ${pattern}`);
  };
  const until_ = holds => until(async () => holds(paramsOf(page)));

  await page.keyboard.press('Tab');
  assert.match((await at()).name, /Skip to/);
  await page.keyboard.press('Enter');
  await reach(/^Filter by campaign/);
  await page.keyboard.press('Enter');
  await page.locator('.pick-list li').first().waitFor();
  await reach(/^brand/);
  await page.keyboard.press('Space');
  await until_(params => params.get('is.campaign') === 'brand');
  await page.keyboard.press('Escape');
  await page.locator('.menu-panel').waitFor({ state: 'detached' });
  await reach(/^From the top/);
  await page.keyboard.press('Enter');
  await until_(params => params.get('preset') === 'closed');
  await reach(/^Breakdown$/);
  await page.keyboard.press('Enter');
  await until_(params => params.get('tab') === 'breakdown');
  await reach(/^Device$/);
  await page.keyboard.press('Enter');
  await page.locator('table.breakdown tbody tr').first().waitFor();
  await reach(/^desktop$/i);
  await reach(/^[\d,]+$/);
  const count = number((await at()).name);
  await page.keyboard.press('Enter');
  await until_(params => params.get('tab') === 'visitors');
  /* the list is as long as the figure said */
  await until(async () => assert.equal(number(await page.locator('#shown strong').first().innerText()), count));
  await page.goBack();
  await page.locator('table.breakdown').waitFor();
  assert.deepEqual(wrong, []);
  await page.context().close();
});

test(`every page at ${LOOKS.map(look => look.join(' ')).join(', ')}: nothing sticks out, nothing is nonsense`, async () => {
  for (const [width, colorScheme] of LOOKS) {
    const page = await demo.open({ viewport: { width, height: 800 }, colorScheme });
    const wrong = complaints(page);
    for (const one of PAGES) {
      await show(page, demo.service.web, one);
      const extra = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(extra <= 0, `${one[0]} at ${width} is ${extra} px too wide`);
      const words = await page.locator('body').innerText();
      assert.doesNotMatch(words, /NaN|undefined|Infinity|\[object/, `${one[0]} at ${width}`);
    }
    assert.deepEqual(wrong, []);
    await page.context().close();
  }
});

test('amounts in several currencies stand whole, on a site without one of its own', async () => {
  const { service, api } = demo;
  await api.post('/sites', { name: 'many', domain: 'many.example', timezone: 'UTC', currency: '' });
  const events = ['USD', 'EUR', 'KWD', 'IDR'].flatMap((currency, i) => [
    { visitor: `v${i}`, time: Date.now() - 72e5, event: 'pageview', path: '/' },
    { visitor: `v${i}`, time: Date.now() - 36e5, event: 'sale', order: `o${i}`, value: 1234567.5, currency },
  ]);
  await corongOk(demo.data, ['import', 'many', '-'], { input: events.map(event => JSON.stringify(event)).join('\n') });
  const is = event => ({ attribute: 'event', op: 'is', values: [event] });
  await api.send('PUT', '/sites/many/funnels/Shop', { name: 'Shop', window: '7d', stages: [
    { name: 'Came', rule: is('pageview') }, { name: 'Sale', kind: 'sale', rule: is('sale') }] });
  for (const width of [360, 1280]) {
    const page = await demo.open({ viewport: { width, height: 800 } });
    await show(page, service.web, ['', '/sites/many', '.figure-value']);
    const cut = await page.evaluate(() => [...document.querySelectorAll('.figures *, .sentence, .sentence *')]
      .filter(element => {
        const box = element.closest('.figure-box, .sentence').getBoundingClientRect();
        return element.getBoundingClientRect().right > box.right + 1 || element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline';
      }).map(element => `${element.className} ${element.textContent}`));
    assert.deepEqual(cut, [], String(width));
    await page.context().close();
  }
});

test('first paint and an answer after a click, as this machine has it', async t => {
  const page = await demo.open();
  const paints = [];
  for (let i = 0; i < 3; i++) {
    await show(page, demo.service.web, PAGES[1]);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null));
  }
  await page.evaluate(() => {
    globalThis.slowest = 0;
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) globalThis.slowest = Math.max(globalThis.slowest, entry.duration);
    }).observe({ type: 'event', durationThreshold: 16 });
  });
  const started = performance.now();
  /* where the lists are still growing a click may fall between two rows */
  const isFiltered = () => page.evaluate(() => /[?&]is\./.test(location.search));
  await until(async () => {
    if (!(await isFiltered())) await page.locator('.list-card tbody a').first().click();
    return isFiltered();
  });
  await page.locator('[aria-busy=true], .is-waiting').first().waitFor({ state: 'detached' });
  const answered = performance.now() - started;
  await page.waitForTimeout(200);
  const slowest = await page.evaluate(() => globalThis.slowest);
  t.diagnostic(JSON.stringify({ first_paint_ms: paints.map(Math.round), interaction_ms: slowest, answer_ms: Math.round(answered) }));
  assert.ok(paints.every(ms => ms !== null && ms > 0), 'the browser says when it painted');
  await page.context().close();
});
