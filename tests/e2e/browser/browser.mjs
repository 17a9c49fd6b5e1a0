// Chromium as a visitor has it: an empty profile each time, and no word of being headless, which
// the collector would rightly take for a bot.
import { chromium } from 'playwright-core';

// Longer than any machine needs, however slow or busy: only what never comes takes all of it.
const PATIENCE_MS = 120_000;

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// options as of playwright's launch; args are further flags.
export async function openBrowser({ args = [], ...options } = {}) {
  const browser = await chromium.launch({
    ...options,
    executablePath: process.env.CORONG_CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: [...flags, ...args],
    timeout: PATIENCE_MS,
  });
  browser.on('context', context => context.setDefaultTimeout(PATIENCE_MS));
  return browser;
}

// A visitor: cookies and storage of its own. options as of playwright's newContext.
export async function visitor(browser, options = {}) {
  const version = browser.version().split('.')[0];
  return browser.newContext({
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`,
    locale: 'en-GB',
    ...options,
  });
}

// What must not happen on a page while a test uses it: errors, and breaches of its CSP.
export function complaints(page) {
  const list = [];
  page.on('pageerror', error => list.push(String(error)));
  page.on('console', message => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) list.push(message.text());
  });
  return list;
}

// Ask until it holds; the last error otherwise. Returns how long it took.
export async function until(holds, { within = PATIENCE_MS, every = 20 } = {}) {
  const start = performance.now();
  for (;;) {
    let problem = 'it does not hold';
    try {
      const answer = await holds();
      if (answer || answer === undefined) return performance.now() - start;
    } catch (error) {
      problem = error;
    }
    if (performance.now() - start > within) {
      if (problem instanceof Error) throw problem;
      throw new Error(`${problem} after ${within} ms: ${holds}`);
    }
    await new Promise(resolve => setTimeout(resolve, every));
  }
}
