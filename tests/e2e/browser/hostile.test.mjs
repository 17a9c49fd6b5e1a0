// F35: what strangers send stands on every page and in every file as text. Hundreds of payloads
// (lib/payloads.mjs) in every field that anybody can fill: events by import and by the collector,
// names of stages, funnels, groups, keys, links and people. Then everything is opened. FULL=1: all
// of them; otherwise a sample.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, signUp } from '../lib/api.mjs';
import { corong, corongOk, temporaryFolder, up } from '../lib/corong.mjs';
import { csvCells, HOST, isFormula, payloads, somePayloads } from '../lib/payloads.mjs';
import { openBrowser, until, visitor } from './browser.mjs';

const IS_FULL = process.env.FULL !== undefined;
const PAYLOADS = IS_FULL ? payloads() : somePayloads(30);
const some = (list, n) => (IS_FULL ? list : list.slice(0, n));
const fields = list => list.filter((_, i) => IS_FULL || i % 5 === 0);
const DAY = 86_400_000;
const NOW = Date.now();
const TEXTS = [
  'event', 'url', 'host', 'path', 'query', 'title', 'order', 'product', 'category', 'referrer', 'click_id', 'continent',
  'region', 'city', 'device', 'browser', 'os', 'language', 'channel', 'source', 'medium', 'campaign', 'content', 'keyword',
];

const folder = temporaryFolder();
let service, api, browser, context, page;
const wrong = [];

/** As much of it as has so many bytes. */
function cut(text, bytes) {
  let out = text;
  while (Buffer.byteLength(out) > bytes) out = [...out].slice(0, -1).join('');
  return out;
}

/** As a name or an id may be: without control characters and space around it. */
const word = (text, bytes) => cut(text.replace(/[\u0000-\u001f\u007f\u2028\u202e\ufeff]/g, '').trim(), bytes).trim();

/** As what stands in an address by its name: without a slash. */
const named = (text, bytes) => word(text.replaceAll('/', '\\'), bytes);

/* ---- What is stored ---- */

/* names and ids are refused with control characters, everything else is kept as it came */
const everything = payload => ({
  ...Object.fromEntries(TEXTS.map(name => [name, payload])),
  event: word(payload, 120),
  order: word(payload, 120),
  properties: { [word(payload, 64)]: payload, plan: payload },
});

/** One visitor each, named so; and one who has them all on the way. */
function* events() {
  for (const [i, payload] of PAYLOADS.entries()) {
    const time = NOW - 10 * DAY + i * 1000;
    const id = word(payload, 128);
    yield { visitor: id, time, ...everything(payload), event: 'pageview', id: word(`${i}a${payload}`, 128) };
    yield { visitor: id, time: time + 1000, ...everything(payload), id: word(`${i}b${payload}`, 128) };
    yield { visitor: id, time: time + 2000, ...everything(payload), event: 'sale', value: -1.5, currency: 'USD' };
    yield { visitor: 'everything', time, ...everything(payload), id: word(`${i}c${payload}`, 128) };
    yield { visitor: `browser-${i}`, time, event: 'identify', known: id };
  }
}

const is = (attribute, ...values) => ({ attribute, op: 'is', values });

/** Funnels of 15 stages, each stage and rule named by another payload. */
function funnels() {
  const all = [];
  for (let i = 0; i < PAYLOADS.length; i += 15) {
    const part = PAYLOADS.slice(i, i + 15);
    if (part.length < 2) part.push('Last of all');
    const name = named(part[0], 100);
    const stages = part.map((payload, k) => ({
      name: word(`${payload}`, 100) || 'Empty',
      rule: k === 0 ? is('event', 'pageview') : { any: [is('event', payload), is('path', payload), is('properties.plan', payload)] },
    }));
    all.push({ name, window: '30d', stages });
  }
  return all;
}

/** What the server refuses of names is refused with a reason; the rest is kept. */
async function tryAll(items, act) {
  let kept = 0, why = null;
  for (const item of items) {
    const problem = await act(item).then(() => null, error => error);
    if (problem === null) kept++;
    else assert.match((why = problem.message), /: 4(00|03|04|09|13|22) \{"error"/);
  }
  return kept > 0 ? kept : `none: ${why.split('"message":')[1]}`;
}

const saved = [];

async function fillSettings(t) {
  const at = encodeURIComponent;
  const put = funnel => api.send('PUT', `/sites/hostile/funnels/${at(funnel.name)}`, funnel);
  const kept = {
    funnels: await tryAll(funnels(), async funnel => saved.push(await put(funnel))),
    groups: await tryAll([PAYLOADS.slice(0, 50)], some =>
      api.send('PATCH', '/sites/hostile', {
        page_groups: [...new Set(some.map(name => named(name, 80)))].map(name => ({ name, globs: ['/p/**', word(`/${name}`, 200)] })) })),
    ignored: await tryAll(PAYLOADS.slice(0, 5), name => api.send('PATCH', '/sites/hostile', { ignored_referrers: [name] })),
    hosts: await tryAll(PAYLOADS.slice(0, 5), name => api.send('PATCH', '/sites/hostile', { hosts: [name] })),
    keys: await tryAll(PAYLOADS.slice(0, IS_FULL ? 40 : 8), name => api.post('/sites/hostile/keys', { name: word(name, 60), scopes: ['read'] })),
    people: await tryAll(PAYLOADS.slice(0, IS_FULL ? 40 : 8), name =>
      api.post('/sites/hostile/invitations', { email: `${word(name, 60).replaceAll('@', '')}@shop.example`, role: 'viewer' })),
    shares: await tryAll(PAYLOADS.slice(0, 5), name =>
      api.post('/sites/hostile/shares', {
        name: word(name, 60), days: 0, expires_days: 90,
        question: { funnel: saved[0].definition, breakdown: [{ attribute: 'campaign' }] } })),
    sites: await tryAll(PAYLOADS.slice(0, 5), name => api.post('/sites', { name, domain: name })),
    filters: await tryAll(PAYLOADS.slice(0, IS_FULL ? 40 : 8), name =>
      api.send('PUT', `/sites/hostile/filters/${at(named(name, 60))}`, { filters: [{ rule: is('campaign', name) }] })),
  };
  t.diagnostic(JSON.stringify({ payloads: PAYLOADS.length, ...kept }));
  assert.ok(kept.funnels > PAYLOADS.length / 20 && kept.groups > 0 && kept.keys > 0 && kept.shares > 0, JSON.stringify(kept));
}

before(async () => {
  const site = await corongOk(folder.dir, ['site', 'add', 'hostile', '--domain', 'shop.example', '--currency', 'USD', '--json']);
  service = await up(folder.dir);
  service.key = JSON.parse(site).key;
  api = await signUp(service);
  browser = await openBrowser();
  context = await visitor(browser, { viewport: { width: 1280, height: 800 } });
  const [name, value] = api.cookie.split(/=(.*)/s);
  await context.addCookies([{ name, value, url: service.web }]);
  watch(await context.newPage());
});
after(async () => {
  await browser?.close();
  await service?.stop();
  folder.remove();
});

/* ---- What must not happen ---- */

function watch(opened) {
  page = opened;
  const say = what => wrong.push(`${page.url().slice(0, 300)}: ${what}`);
  page.on('dialog', dialog => {
    say(`dialog ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('pageerror', error => say(error.stack));
  page.on('console', message => {
    if (/Content Security Policy|Trusted Type|violat/i.test(message.text())) say(message.text());
  });
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url());
    if (origin !== service.web && !['data:', 'blob:'].includes(protocol)) say(`asked for ${request.url()}`);
  });
  page.on('framenavigated', frame => {
    if (!frame.url().startsWith(service.web) && frame.url() !== 'about:blank') say(`went to ${frame.url()}`);
  });
  return page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener('securitypolicyviolation', event =>
      globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
}

/** Nothing of a payload became an element, a handler or an address of a script. */
const findLive = () => {
  const KNOWN = ['https://db-ip.com']; // whose the places are, as its licence asks
  const found = [...globalThis.violations];
  for (const element of document.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) found.push(`${element.tagName} ${name}=${value}`);
      const isAddress = ['href', 'src', 'action', 'data', 'srcdoc', 'formaction', 'xlink:href'].includes(name);
      if (isAddress && !/^(\/(?!\/)|#|\?|data:image\/)/.test(value) && ![location.origin, ...KNOWN].includes(new URL(value, location.href).origin))
        found.push(`${element.tagName} ${name}=${value}`);
    }
    if (/^(IFRAME|OBJECT|EMBED|BASE|VIDEO|AUDIO|MARQUEE|MATH|STYLE|ANIMATE)$/i.test(element.tagName)) found.push(element.outerHTML);
    if (element.tagName === 'SCRIPT' && new URL(element.src, location.href).origin !== location.origin) found.push(element.outerHTML);
  }
  return found;
};

async function check(name) {
  await page.waitForTimeout(30);
  for (const problem of await page.evaluate(findLive)) wrong.push(`${name}: ${problem}`);
  const title = await page.title();
  assert.ok(title.length > 0, name);
}

/** Goes there without loading the application again, as a click would. */
async function open(path, ready = '.site-main, main') {
  await page.evaluate(url => {
    history.pushState(null, '', url);
    dispatchEvent(new Event('corong:navigated'));
  }, path);
  await page.locator(ready).first().waitFor();
  await page.locator('[aria-busy=true], .is-waiting, .loading').first().waitFor({ state: 'detached' }).catch(() => wrong.push(`${path}: still waiting`));
  await check(path.slice(0, 200));
}

const nothingWrong = () => assert.deepEqual(wrong.splice(0).slice(0, 10), []);

/* ---- The tests ---- */

test('there are more than 500 payloads, no two of them the same', () => {
  const all = payloads();
  assert.ok(all.length > 500 && all.length <= 1000, String(all.length));
  assert.equal(new Set(all).size, all.length);
});

test('they are stored in every field of events', async () => {
  const lines = [...events()].map(event => JSON.stringify(event));
  const got = await corong(folder.dir, ['import', 'hostile', '-', '--json'], { input: lines.join('\n') });
  const { rows, rejected } = JSON.parse(got.out);
  assert.deepEqual([rows, rejected], [lines.length, 0], got.err.slice(0, 600));
  const values = await api.get('/sites/hostile/values?attribute=campaign&limit=1000');
  // control characters and space around are taken off what is stored: some of them are the same then
  const distinct = new Set(PAYLOADS.map(payload => word(payload, Infinity)));
  assert.ok(values.values.length >= distinct.size * 0.98, `${values.values.length} of ${distinct.size}: ${got.out}${service.errors()}`);
});

test('the collector takes them from browsers', async () => {
  for (const payload of PAYLOADS) {
    const at = encodeURIComponent(payload);
    const body = {
      site: service.key, visitor: 'live', sent: Date.now(),
      events: [{
        event: word(payload, 120), id: word(payload, 120), time: Date.now(), title: payload, product: payload, properties: { [word(payload, 64)]: payload },
        url: `https://shop.example/p/${at}?utm_source=${at}&utm_medium=${at}&utm_campaign=${at}&utm_term=${at}&utm_content=${at}`,
        referrer: `https://r.example/${at}`,
      }],
    };
    const answer = await fetch(`${service.collector}/e`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'user-agent': 'Mozilla/5.0 <img src=x onerror=alert(1)>', 'x-forwarded-for': '<script>alert(1)</script>' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.status < 500, String(answer.status));
  }
  await until(async () => (await api.get('/sites/hostile/live?limit=50')).events.length >= 20);
});

test('and the settings, as names', fillSettings);

test('every page shows them as text', async t => {
  await page.goto(`${service.web}/sites/hostile`);
  await page.locator('.sentence, .lists, .empty').first().waitFor();
  await check('overview');
  const at = encodeURIComponent;
  const site = '/sites/hostile';
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    await check('overview, a tab');
  }
  const screens = (await page.locator('nav a[href^="/sites/hostile"]').evaluateAll(all => all.map(a => a.getAttribute('href')))).map(
    href => href.split(/[?#]/)[0]);
  for (const href of new Set(screens)) await open(`${href}?range=30d`);
  await open(`${site}/journeys/everything?range=30d`);
  for (const payload of IS_FULL ? somePayloads(60) : PAYLOADS.slice(5, 6)) {
    await open(`${site}/journeys/${at(word(payload, 128))}`);
    await open(`${site}?range=30d&is.campaign=${at(payload)}&is.${at(`properties.${cut(payload, 40)}`)}=${at(payload)}`);
    await open(`${site}/journeys?q=${at(payload)}&search=${at(payload)}`);
    await open(`${site}/${at(payload)}`);
  }
  const report = name => `${site}/funnels/${at(name)}`;
  const { attributes } = await api.get('/sites/hostile/attributes').then(all => (Array.isArray(all) ? { attributes: all } : all));
  const texts = [...TEXTS, 'landing', 'page_group', 'properties.plan', attributes.map(({ name }) => name).find(name => /^properties\..*</.test(name))];
  const name = saved[0].name;
  for (const attribute of fields(texts)) await open(`${report(name)}?range=30d&tab=breakdown&rows=1000&by=${at(attribute)}`);
  for (const tab of ['trend', 'time', 'moves', 'visitors']) await open(`${report(name)}?range=30d&tab=${tab}`);
  for (const funnel of some(saved, 1)) {
    await open(`${report(funnel.name)}?range=30d`);
    await open(`${site}/dropoff?funnel=${at(funnel.name)}&stage=1&range=30d`);
    await open(`${report(funnel.name)}/edit`);
  }
  await open('/');
  t.diagnostic(`${wrong.length} complaints`);
  nothingWrong();
});

test('what is picked, typed and saved as a picture is text too', async () => {
  const name = saved[0].name;
  await open(`/sites/hostile/funnels/${encodeURIComponent(name)}?range=30d`);
  await page.getByRole('button', { name: /^Filter by/ }).first().click();
  await check('the filter menu');
  await page.keyboard.press('Escape');
  for (const format of [/SVG/, /PNG/]) {
    const button = page.getByRole('button', { name: format }).first();
    if ((await button.count()) === 0) continue;
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    if (!format.test('SVG')) continue;
    const svg = await (await import('node:fs/promises')).readFile(await download.path(), 'utf8');
    const blank = await context.newPage(); // without the policy, which forbids to parse
    const found = await blank.evaluate(text => {
      const picture = new DOMParser().parseFromString(text, 'image/svg+xml');
      return [...picture.querySelectorAll('parsererror, script, foreignObject, image')].map(element => element.outerHTML);
    }, svg);
    await blank.close();
    assert.deepEqual(found, []);
  }
  nothingWrong();
});

test('a shared report shows them to people without an account', async () => {
  const { token, csv } = await api.post('/sites/hostile/shares', {
    name: '<img src=x onerror=alert(1)>', days: 30, expires_days: 90,
    question: { funnel: saved[0].definition, breakdown: [{ attribute: 'event' }], limit: 1000 } });
  const file = await client(service.web, '').get(csv.replace('/api/v1', ''));
  assert.deepEqual(csvCells(file).filter(isFormula), []);
  const stranger = await visitor(browser);
  const signedIn = page;
  await watch(await stranger.newPage());
  await page.goto(`${service.web}/share#${token}`);
  await page.waitForTimeout(300);
  await check('shared');
  await stranger.close();
  page = signedIn;
  nothingWrong();
});

test('no cell of any file is a formula', async t => {
  let cells = 0;
  const files = (body, name) => api.post('/sites/hostile/export', { funnel: saved[0].definition, ...body }).then(file => {
    const found = csvCells(file);
    cells += found.length;
    assert.deepEqual(found.filter(isFormula).slice(0, 5), [], name);
  });
  for (const what of ['stages', 'moves']) await files({ what }, what);
  await files({ what: 'trend', trend: 'day' }, 'trend');
  for (const attribute of fields([...TEXTS, 'properties.plan']))
    await files({ what: 'breakdown', breakdown: [{ attribute }], limit: 1000 }, attribute);
  for (const figure of ['entered', 'converted']) await files({ what: 'visitors', figure }, figure);
  for (const funnel of some(saved, 3))
    for (const what of ['stages', 'moves', 'visitors'])
      await files({ funnel: funnel.definition, what, ...(what === 'visitors' ? { figure: 'entered' } : {}) }, what);
  t.diagnostic(`${cells} cells`);
  assert.ok(cells > 10 * PAYLOADS.length);
});

test(`nothing was ever asked of ${HOST}, and no dialog came up`, nothingWrong);
