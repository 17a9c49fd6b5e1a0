// The funnel editor and the copied command on the real server: what a draft shows is what the
// server counts, two editors do not overwrite each other, and a shell prints the page's report.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { complaints, openBrowser } from './browser.mjs';
import { binary, Corong } from './corong.mjs';

const execute = promisify(execFile);
const owner = { email: 'owner@shop.example', password: 'correct horse battery' };
const EDITOR = '/sites/shop/funnels/Tea%20%26%20more/edit';
const NAME = 'Tea & more';
const DAY_MS = 864e5;

const is = (...values) => ({ attribute: 'event', op: 'is', values });
const FUNNEL = {
  name: NAME,
  window: '7d',
  stages: [
    { name: 'Visit', kind: 'trace', rule: is('pageview') },
    { name: 'Basket', kind: 'engagement', rule: is('cart') },
    { name: 'Sale', kind: 'sale', rule: is('sale') },
  ],
};

// 400 visitors in the last days: every one looks, every second one does so by phone, fewer go on.
const EVENTS = Array.from({ length: 400 }, (_, n) => {
  const start = Date.now() - 10 * DAY_MS + n * 60_000;
  const does = (event, minutes, more = {}) => ({
    visitor: `v${n}`, id: `${n}-${event}-${minutes}`, event, time: start + minutes * 60_000,
    device: n % 2 === 0 ? 'mobile' : 'desktop', campaign: n % 5 === 0 ? "it's spring" : 'autumn', ...more,
  });
  return [
    does('pageview', 0, { path: '/' }),
    ...(n % 3 === 0 ? [does('cart', 1), does('cart', 2)] : []),
    ...(n % 4 === 0 ? [does('checkout', 3)] : []),
    ...(n % 6 === 0 ? [does('sale', 4, { value: 9.5, currency: 'USD', order: String(n) })] : []),
  ];
}).flat();
const count = event => EVENTS.filter(one => one.event === event).length;
const people = event => new Set(EVENTS.filter(one => one.event === event).map(one => one.visitor)).size;

let corong, browser, context, page, wrong;

before(async () => {
  corong = await Corong.up();
  await corong.run('site', 'add', 'shop', '--domain', 'shop.example', '--currency', 'USD');
  await writeFile(`${corong.data}/events.ndjson`, EVENTS.map(one => JSON.stringify(one)).join('\n'));
  await corong.run('import', 'shop', `${corong.data}/events.ndjson`);
  await writeFile(`${corong.data}/funnel.json`, JSON.stringify(FUNNEL));
  await corong.run('funnel', 'put', 'shop', NAME, `${corong.data}/funnel.json`);
  browser = await openBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
  page = await context.newPage();
  wrong = complaints(page);
  await page.goto(corong.firstAccount);
  await page.getByLabel('E-mail address').fill(owner.email);
  await page.getByLabel('Password').fill(owner.password);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
});
after(async () => {
  await browser?.close();
  await corong?.down();
});

const openEditor = async where => {
  await where.goto(new URL(EDITOR, corong.dashboard).href);
  await where.locator('.preview-figures').first().waitFor();
};
const versions = async () => JSON.parse(await corong.run('funnel', 'versions', 'shop', NAME, '--json'));
const stage = (where, n) => where.locator('.stage').nth(n - 1);

test('a draft is drawn from the data before anything is saved', async () => {
  await openEditor(page);
  const figures = page.locator('.preview-figures');
  assert.equal(await figures.innerText(), `400 entered, ${people('sale')} converted (16.8%)`);
  await stage(page, 2).getByLabel("Stage's name").click();
  await stage(page, 2)
    .getByText(`Matches ${count('cart')} events of ${people('cart')} visitors, overlaps no other stage.`)
    .waitFor();
  await stage(page, 3).getByRole('button', { name: 'Remove sale' }).click();
  await stage(page, 3).getByRole('combobox', { name: 'Values' }).fill('che');
  await stage(page, 3).getByRole('option', { name: /^checkout/ }).click();
  await stage(page, 3)
    .getByText(`Matches ${count('checkout')} events of ${people('checkout')} visitors, overlaps no other stage.`)
    .waitFor();
  await figures.nth(1).getByText(`400 entered, ${people('checkout')} converted`).waitFor();
  assert.equal(await figures.first().innerText(), `400 entered, ${people('sale')} converted (16.8%)`);
  const table = page.getByRole('region', { name: /^Stage by stage/ });
  assert.match(await table.getByRole('row', { name: /^Sale/ }).innerText(), /Sale\s+67\s+100\s+\+49.3%/);
  assert.equal((await versions()).length, 1, 'nothing is saved yet');
});

test('a rule that the server refuses is shown at its field, the draft stays', async () => {
  const rule = stage(page, 1);
  await rule.getByLabel('Comparison').selectOption('regex');
  await rule.getByRole('button', { name: 'Remove pageview' }).click();
  await rule.getByRole('combobox', { name: 'Values' }).fill('(page');
  await page.keyboard.press('Enter');
  await rule.getByRole('alert').waitFor();
  assert.equal(await page.locator('.stage [role=alert]').count(), 1);
  await rule.getByRole('button', { name: 'Remove (page' }).click();
  await rule.getByRole('combobox', { name: 'Values' }).fill('^page');
  await page.keyboard.press('Enter');
  await rule.getByRole('alert').waitFor({ state: 'detached' });
});

test('two editors: the second is told who saved, and loses nothing', async () => {
  const other = await context.newPage();
  await openEditor(other);
  await other.getByLabel("Stage's name").first().fill('Arrival');
  await other.getByLabel(/^What did you change/).fill('another name');
  await other.getByRole('button', { name: 'Save funnel' }).click();
  await other.locator('.result-words').waitFor();
  await other.close();
  await page.getByRole('button', { name: 'Save funnel' }).click();
  const notice = page.locator('.notice.is-error');
  await notice.getByText(`${owner.email} saved version 2 on`).waitFor();
  await notice.getByText('Their note: another name').waitFor();
  assert.equal((await versions()).length, 2);
  assert.match(await stage(page, 3).innerText(), /checkout/, 'the draft is still there');
  await notice.getByRole('button', { name: 'Save mine as the newest version' }).click();
  await page.locator('.result-words').waitFor();
  assert.deepEqual(
    (await versions()).map(({ version, author, note }) => [version, author, note]),
    [[3, owner.email, ''], [2, owner.email, 'another name'], [1, '', '']]
  );
});

test('an older version is drawn beside the present one, and restored', async () => {
  await openEditor(page);
  await page.locator('.versions summary').click();
  await page.getByRole('button', { name: 'Compare with version 1' }).click();
  await page.locator('.side', { hasText: 'Version 1' }).getByText(`${people('sale')} converted`).waitFor();
  await page.getByRole('button', { name: 'Restore version 1' }).click();
  await page.getByText('Version 1 is restored, as version 4.').waitFor();
  const saved = JSON.parse(await corong.run('funnel', 'show', 'shop', NAME));
  assert.deepEqual(saved.stages.map(one => one.rule), FUNNEL.stages.map(one => one.rule));
});

// The figures of an answer, without when and how it was given.
const figuresOf = report => {
  const { snapshot, elapsed_ms, events_read, ...figures } = report;
  return figures;
};

test('the copied command prints the report of the page, in sh as in bash', async () => {
  await mkdir(`${corong.data}/bin`);
  await symlink(binary, `${corong.data}/bin/corong`);
  const env = { ...process.env, PATH: `${corong.data}/bin:${process.env.PATH}`, CORONG_DATA: corong.data };
  const filter = `is.campaign=${encodeURIComponent("it's spring")}`;
  for (const query of ['', '?range=all&preset=sequential', `?range=30d&${filter}&is_not.event=checkout&tab=breakdown&by=device`, '?range=30d&tab=trend&step=week']) {
    const address = new URL(`/sites/shop/funnels/${encodeURIComponent(NAME)}${query}`, corong.dashboard).href;
    let shown = null;
    const keep = async answer => {
      // a page that is left takes its answers along
      if (answer.url().endsWith('/report') && answer.status() === 200) shown = await answer.json().catch(() => shown);
    };
    page.on('response', keep);
    await page.goto(address);
    await page.locator('.report-body:not(.is-waiting) .result-words').waitFor();
    await page.getByRole('button', { name: 'Export' }).click();
    const command = await page.locator('.menu-panel textarea').inputValue();
    page.off('response', keep);
    const asOf = / --as-of (\S+)/.exec(command)[1];
    assert.ok(shown !== null);
    for (const shell of ['sh', 'bash']) {
      const { stdout } = await execute(shell, ['-c', command], { env });
      const printed = figuresOf(JSON.parse(stdout));
      const wanted = figuresOf(shown);
      assert.equal(printed.as_of, asOf);
      for (const key of Object.keys(printed))
        if (key !== 'as_of' && key !== 'compare') assert.deepEqual(printed[key], wanted[key], `${query} ${shell} ${key}`);
      assert.deepEqual(printed.compare?.stages, wanted.compare?.stages);
    }
    await page.keyboard.press('Escape');
  }
});

test('the editor broke no rule of the dashboard on the way', () => {
  assert.deepEqual(wrong, []);
});
