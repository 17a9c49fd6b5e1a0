// What every browser test of the snippet begins with: a stand-in for the collector, a visitor, a page.
import { after, afterEach, before, beforeEach } from 'node:test';
import { complaints, openBrowser, until, visitor } from './browser.mjs';
import { StandIn } from './stand_in.mjs';

// Fresh for each test: collector, context, page, and wrong (what must not happen on the page).
export const it = {};

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

beforeEach(async () => {
  it.collector = await StandIn.start();
  it.collector.page('/');
  it.collector.page('/2');
  it.context = await visitor(browser);
  it.page = await it.context.newPage();
  it.wrong = complaints(it.page);
});
afterEach(async () => {
  await it.context.close();
  await it.collector.stop();
});

export const open = path => it.page.goto(it.collector.origin + path);
export const named = name => it.collector.events.filter(e => e.event === name);
export const received = (name, n = 1) => until(() => named(name).length >= n);
export const stored = () => it.page.evaluate(() => Object.keys(localStorage).sort());
export const waiting = async () =>
  (await stored()).filter(key => key.startsWith('corong.site_')).length;
export const sent = () => until(async () => (await waiting()) === 0);
// As when the browser comes back on line. What is under way just then waits for the next time: hence
// as often as it takes.
export const sentAgain = () =>
  until(async () => {
    await it.page.evaluate(() => dispatchEvent(new Event('online')));
    return (await waiting()) === 0;
  });
