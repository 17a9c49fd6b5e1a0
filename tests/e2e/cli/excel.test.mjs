// Excel files read back: every cell says what the CSV says, numbers are numbers, moments are dates of
// the site's zone, and nothing is a formula.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signUp } from '../lib/api.mjs';
import { corongOk, temporaryFolder, up } from '../lib/corong.mjs';
import { readXlsx } from '../lib/xlsx.mjs';

const EPOCH_DAYS = 25569, DAY_MS = 864e5;
const HOSTILE = ['=1+1', '+cmd()', '-2', '@SUM(A1)', '\t=x', "'=y", '<b>&"', 'a_x0041_b', '\u00a0x', 'ünï 漏斗', '\uff1dfull width', '007', '1e5', 'TRUE'];
const rule = (name) => ({ attribute: 'event', op: 'is', values: [name] });
const FUNNEL = {
  window: '7d',
  stages: [{ name: '=came()', rule: rule('pageview') }, { name: 'Cart, "all"', rule: rule('add_to_cart') }, { name: 'Sale', kind: 'sale', rule: rule('sale') }],
};

const folder = temporaryFolder();
let service, api;

before(async () => {
  await corongOk(folder.dir, ['site', 'add', 'shop', '--domain', 'shop.example', '--timezone', 'Asia/Kolkata', '--currency', 'USD']);
  const events = [];
  for (const [i, campaign] of [...HOSTILE, ...HOSTILE.map((name) => `${name} again`)].entries()) {
    const at = Date.UTC(2026, 5, 1, 18, 29, 59, 999) + i * 7_654_321;
    const one = (event, ms, more = {}) => ({ visitor: `${campaign} ${i}`.trim(), time: at + ms, event, campaign, ...more });
    events.push(one('pageview', 0));
    if (i % 2 === 0) events.push(one('add_to_cart', 1));
    if (i % 3 === 0) events.push(one('sale', 3_600_001, { order: `o${i}`, value: i + 0.1, currency: ['USD', 'JPY', 'KWD'][i % 3 === 0 ? (i / 3) % 3 : 0] === 'JPY' ? 'EUR' : 'USD' }));
  }
  events.push({ visitor: 'rich', time: Date.UTC(2026, 5, 3), event: 'sale', order: 'big', value: '89007199254740.93', currency: 'EUR' });
  await corongOk(folder.dir, ['import', 'shop', '-', '--format', 'ndjson'], { input: events.map((event) => JSON.stringify(event)).join('\n') });
  service = await up(folder.dir);
  api = await signUp(service);
});
after(async () => {
  await service?.stop();
  folder.remove();
});

async function exported(question, format) {
  const answer = await fetch(`${service.web}/api/v1/sites/shop/export`, {
    method: 'POST',
    headers: { cookie: api.cookie, 'x-corong': '1', 'content-type': 'application/json' },
    body: JSON.stringify({ funnel: FUNNEL, ...question, format }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.status, 200, bytes.toString());
  assert.equal(Number(answer.headers.get('content-length')), bytes.length);
  return { bytes, headers: answer.headers };
}

/** Lines of {text} (quoted) or {bare}. */
function readCsv(source) {
  const lines = [];
  let cells = [];
  for (let at = 0; at < source.length; ) {
    const [whole, quoted, bare, end] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(source.slice(at));
    cells.push(quoted === undefined ? { bare } : { text: quoted.replaceAll('""', '"') });
    at += whole.length;
    if (end === ',') continue;
    lines.push(cells);
    cells = [];
  }
  return lines;
}

const isMoment = (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/.test(text);
const digits = (text) => text.replace(/\D/g, '').replace(/^0+/, '').length;

function compare(cell, { text, bare }, where) {
  if (bare === '' || text === '') return assert.equal(cell, undefined, where);
  if (bare !== undefined && digits(bare) > 15 && !/e/.test(bare) && /\.\d\d$/.test(bare)) return assert.equal(cell.text, bare, where);
  if (bare !== undefined) return assert.equal(Number(cell.number.toPrecision(15)), Number(bare), where);
  if (!isMoment(text)) return assert.ok(text === cell.text || text === `'${cell.text}`, `${where}: ${text} ${JSON.stringify(cell)}`);
  const wall = Date.parse(`${text.slice(0, -6)}Z`);
  assert.equal(cell.format, 'yyyy-mm-dd hh:mm:ss', where);
  assert.ok(Math.abs((cell.number - EPOCH_DAYS) * DAY_MS - wall) < 1, `${where}: ${text} ${cell.number}`);
}

const JUNE = { from: '2026-06-01', to: '2026-06-08' };
const QUESTIONS = [
  { what: 'stages' },
  { what: 'moves' },
  { what: 'breakdown', breakdown: [{ attribute: 'campaign' }, { attribute: 'currency', at: 3 }], limit: 15 },
  { what: 'trend', trend: 'day', ...JUNE },
  { what: 'count', breakdown: [{ attribute: 'campaign' }], limit: 9, funnel: undefined },
  { what: 'catalogue', funnel: undefined },
  { what: 'visitors', figure: 'entered' },
  { what: 'visitors', figure: 'exits', stage: 1, ...JUNE },
  { what: 'visitors', figure: 'converted', funnel: { ...FUNNEL, count: 'sessions' } },
];

for (const question of QUESTIONS) {
  test(`${question.what} ${question.figure ?? ''} as Excel is the CSV, cell by cell`, async () => {
    const csv = readCsv((await exported(question, 'csv')).bytes.toString());
    const { bytes, headers } = await exported(question, 'xlsx');
    assert.match(headers.get('content-type'), /spreadsheetml\.sheet$/);
    assert.equal(headers.get('content-disposition'), `attachment; filename="shop-${question.what}.xlsx"`);
    const sheets = readXlsx(bytes);
    assert.deepEqual(sheets.map(({ name }) => name), [question.what]);
    const [{ rows, hasFormula }] = sheets;
    assert.equal(hasFormula, false);
    assert.ok(csv.length > 1);
    assert.equal(rows.length, csv.length);
    for (const [i, line] of csv.entries())
      for (const [k, cell] of line.entries()) compare(rows[i][k], cell, `line ${i}, column ${k}`);
  });
}

test('money has the decimals of its currency, and what a number cannot keep is a text', async () => {
  const [{ rows }] = readXlsx((await exported({ what: 'stages' }, 'xlsx')).bytes);
  const [eur, usd] = ['value_EUR', 'value_USD'].map((name) => rows[0].findIndex((cell) => cell.text === name));
  assert.ok(eur > 0 && usd > 0);
  assert.equal(rows[3][usd].format, '#,##0.00');
  assert.match(rows[3][eur].text, /^89007199\d{6}\.\d\d$/);
});
