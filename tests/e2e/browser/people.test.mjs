// Who is one person, with a real browser, a real collector and real domains: cookies, links from one
// domain to another, people who sign in, and sites that keep nothing.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { openBrowser, until, visitor } from './browser.mjs';
import { Corong } from './corong.mjs';

const DAY_S = 86400;

let corong, browser, pages, port, stats;
const tags = {}; // by host: the tag as `corong site add` printed it

// Every host is this machine: pages on one port, the collector on another.
before(async () => {
  corong = await Corong.up('--snippet-path', '/lib/shop.js', '--beacon-path', '/lib/in');
  const { origin, port: statsPort } = new URL(corong.collector);
  stats = `http://stats.shop.example:${statsPort}`;
  const add = async (name, domain, ...settings) => {
    const { snippet } = JSON.parse(
      await corong.run('site', 'add', name, '--domain', domain, '--json', ...settings)
    );
    tags[domain] = snippet.replace(origin, stats);
    assert.ok(tags[domain].includes(`${stats}/lib/shop.js`), snippet);
  };
  await add('shop', 'shop.example');
  await add('quiet', 'quiet.example', '--identity', 'cookieless');
  tags['tea.example'] = tags['shop.example']; // a second domain of the shop's

  pages = createServer((request, response) => {
    const [host] = request.headers.host.split(':');
    const [domain] = host.match(/\w+\.example$/);
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>${host}</title>${tags[domain]}`);
  });
  await new Promise(resolve => pages.listen(0, '127.0.0.1', resolve));
  port = pages.address().port;
  const links = {
    shop: { june: '/landing?utm_source=mail', plain: '' },
    tea: { tea: '/landing', june_tea: '/?utm_source=mail#top' },
  };
  for (const [domain, slugs] of Object.entries(links))
    for (const [slug, tail] of Object.entries(slugs))
      await corong.run('link', 'add', 'shop', slug, `http://www.${domain}.example:${port}${tail}`);
  const last = { method: 'HEAD', redirect: 'manual' };
  await until(async () => (await fetch(`${origin}/r/june_tea`, last)).status === 302);
  browser = await openBrowser({ args: ['--host-resolver-rules=MAP *.example 127.0.0.1'] });
});
after(async () => {
  await browser?.close();
  await corong?.down();
  pages?.closeAllConnections();
  pages?.close();
});

const at = (host, path = '/') => `http://${host}:${port}${path}`;

// A browser of its own. sent: its requests to the collector, each with what came back.
async function somebody() {
  const context = await visitor(browser);
  const page = await context.newPage();
  const sent = [];
  context.on('response', async response => {
    if (response.request().url().startsWith(stats + '/lib/in'))
      sent.push({ request: response.request(), headers: await response.allHeaders() });
  });
  return {
    context,
    page,
    sent,
    id: () => page.evaluate(() => window.corong.id()),
    call: (...words) => page.evaluate(words => window.corong(...words), words),
    cookie: async () => (await context.cookies()).find(({ name }) => name === 'corong'),
    // Go somewhere and wait until the collector has answered.
    async visit(url) {
      const before = sent.length;
      await page.goto(url);
      await until(() => sent.length > before);
    },
  };
}

const stage = (name, attribute, ...values) => ({ name, rule: { attribute, op: 'is', values } });

// How many people did the first, and how many of them the second.
async function people(...stages) {
  const file = `${corong.data}/question.json`;
  await writeFile(file, JSON.stringify({ name: 'q', window: '1d', preset: 'sequential', stages }));
  const report = JSON.parse(await corong.run('funnel', 'run', 'shop', file, '--json'));
  return report.stages.map(({ reached }) => reached);
}

test('the cookie is the id of all hosts, and set once', async () => {
  const { page, visit, id, cookie, sent } = await somebody();
  await visit(at('www.shop.example'));
  const first = await id();
  const { value, domain, path, expires, httpOnly, sameSite } = await cookie();
  assert.deepEqual(
    { value, domain, path, httpOnly, sameSite },
    { value: first, domain: '.shop.example', path: '/', httpOnly: false, sameSite: 'Lax' }
  );
  assert.ok(Math.abs(expires - Date.now() / 1000 - 393 * DAY_S) < 60);

  await page.evaluate(() => localStorage.clear()); // as Safari does after seven days
  await visit(at('www.shop.example', '/2'));
  assert.equal(await id(), first);
  await visit(at('pay.shop.example'));
  assert.equal(await id(), first);
  assert.equal(sent.filter(({ headers }) => headers['set-cookie']).length, 1);
  assert.ok(sent.every(({ request }) => request.method() === 'POST')); // and none was asked for first
});

test('reset and forget take the cookie along', async () => {
  const { visit, id, call, cookie, page } = await somebody();
  await visit(at('www.shop.example'));
  const first = await id();
  await call('reset');
  const second = await id();
  assert.notEqual(second, first);
  await call('click');
  await until(async () => (await cookie())?.value === second);
  await visit(at('pay.shop.example'));
  assert.equal(await id(), second);
  await call('forget');
  assert.equal(await cookie(), undefined);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
});

test('a refusal of consent leaves no cookie', async () => {
  const { visit, call, cookie, context } = await somebody();
  await visit(at('a.b.shop.example'));
  assert.ok(await cookie());
  await call('consent', false);
  assert.deepEqual(await context.cookies(), []);
});

test('a collector of another domain sets no cookie', async () => {
  const { visit, context, id } = await somebody();
  await visit(at('www.tea.example'));
  assert.deepEqual(await context.cookies(), []);
  const first = await id();
  await visit(at('www.tea.example', '/2'));
  assert.equal(await id(), first);
});

test('a campaign link to the own domain: one visitor', async () => {
  const { page, visit, id, cookie } = await somebody();
  await visit(`${stats}/r/june`);
  assert.equal(page.url(), at('www.shop.example', '/landing?utm_source=mail'));
  assert.equal(await id(), (await cookie()).value);
  const story = async () => corong.run('visitor', 'show', 'shop', await id());
  await until(async () => /redirect[^]*pageview/.test(await story()));
});

test('a link to another domain: the address is clean, and both are one person', async () => {
  const { page, visit, id, sent } = await somebody();
  await visit(`${stats}/r/june_tea`);
  assert.equal(page.url(), at('www.tea.example', '/?utm_source=mail#top'));
  const body = JSON.parse(sent[0].request.postData());
  assert.equal(body.events[0].url, at('www.tea.example', '/?utm_source=mail'));
  assert.ok(!body.events[0].ticket.startsWith(await id()));
  const story = async () => corong.run('visitor', 'show', 'shop', await id());
  await until(async () => /redirect[^]*handover/.test(await story()));
  await page.reload();
  await until(() => sent.length > 1);
  assert.ok(!sent.at(-1).request.postData().includes('ticket'));
});

test('two domains of a site, joined by a link of ours', async () => {
  const { visit, id } = await somebody();
  await visit(at('www.shop.example', '/joined'));
  const here = await id();
  await visit(`${stats}/r/tea`);
  assert.notEqual(await id(), here);
  const steps = [stage('There', 'path', '/joined'), stage('Here', 'path', '/landing')];
  await until(async () => assert.deepEqual(await people(...steps), [1, 1]));
});

test('somebody who signs in on two devices is one person, two on one device are two', async () => {
  const [phone, laptop, shared] = [await somebody(), await somebody(), await somebody()];
  await phone.visit(at('www.shop.example', '/seen-on-phone'));
  await phone.call('identify', 'ann');
  await laptop.visit(at('www.shop.example', '/bought-on-laptop'));
  await laptop.page.evaluate(() => window.corong.identify('ann'));
  await shared.visit(at('www.shop.example', '/seen-on-phone'));
  await shared.call('identify', 'bob');
  await shared.visit(at('www.shop.example', '/goodbye'));
  await shared.call('reset');
  await shared.visit(at('www.shop.example', '/bought-on-laptop'));
  await shared.call('identify', 'cy');
  const steps = [
    stage('Seen', 'path', '/seen-on-phone'),
    stage('Bought', 'path', '/bought-on-laptop'),
  ];
  // ann did both; bob the first, and cy the second without the first
  await until(async () => assert.deepEqual(await people(...steps), [2, 1]));
});

test('a cookieless site keeps nothing in the browser', async () => {
  const { page, visit, call, context, sent } = await somebody();
  await visit(at('www.quiet.example'));
  await call('set', { plan: 'pro' });
  await call('click');
  await until(() => sent.length > 1);
  await visit(at('www.quiet.example', '/2'));
  assert.deepEqual(await context.cookies(), []);
  assert.deepEqual(
    await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]),
    [0, 0, '']
  );
  assert.ok(sent.every(({ headers }) => !headers['set-cookie']));
});
