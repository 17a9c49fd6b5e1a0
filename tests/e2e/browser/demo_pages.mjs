// The demonstration in a browser, signed in: what the tests of its pages and their pictures share.
import { signUp } from '../lib/api.mjs';
import { temporaryFolder, up } from '../lib/corong.mjs';
import { openBrowser, visitor } from './browser.mjs';

const SHOP = '/sites/demo/funnels/Shop';

/** Every page of a site with something on it: [name, address, what shows that it is there]. */
export const PAGES = [
  ['sites', '/', 'h1'],
  ['overview', '/sites/demo?range=30d', '.list-card .breakdown'],
  ['funnels', '/sites/demo/funnels', '.row-figure strong'],
  ['report', `${SHOP}?range=90d`, '.cards'],
  ['breakdown', `${SHOP}?range=90d&tab=breakdown&by=campaign`, '.small-multiples'],
  ['trend', `${SHOP}?range=90d&tab=trend&step=week`, '.tabbed svg'],
  ['time', `${SHOP}?range=90d&tab=time`, '.tabbed table'],
  ['moves', `${SHOP}?range=90d&tab=moves`, '.moves'],
  ['visitors', `${SHOP}?range=90d&tab=visitors&figure=dropoff&stage=4`, '.people'],
  ['dropoff', '/sites/demo/dropoff?funnel=Shop&stage=4&range=90d', '.apart'],
  ['editor', `${SHOP}/edit`, '.stage'],
  ['content', '/sites/demo/content?range=30d', 'main table'],
  ['journeys', '/sites/demo/journeys?range=30d', 'main li, main table'],
  ['live', '/sites/demo/live', 'main h1'],
  ['health', '/sites/demo/health', 'main table'],
  ['settings', '/sites/demo/settings', '.settings'],
  ['people', '/sites/demo/settings/people', 'main table, main li'],
  ['keys', '/sites/demo/settings/keys', 'main h1'],
  ['shares', '/sites/demo/settings/shares', 'main h1'],
  ['audit', '/sites/demo/settings/audit', 'main table, main li'],
];

/** `corong up --demo`, its first account and a browser: {service, api, browser, data, open(options), stop()}. */
export async function startDemo() {
  const folder = temporaryFolder();
  const service = await up(folder.dir, ['--demo']);
  const api = await signUp(service);
  const browser = await openBrowser();
  const [name, value] = api.cookie.split(/=(.*)/s);
  return {
    service, api, browser, data: folder.dir,
    /** A page of its own, signed in; options as of playwright's newContext. */
    async open(options = {}) {
      const context = await visitor(browser, { viewport: { width: 1280, height: 800 }, ...options });
      await context.addCookies([{ name, value, url: service.web }]);
      return context.newPage();
    },
    async stop() {
      await browser.close();
      await service.stop();
      folder.remove();
    },
  };
}

/** Goes there and waits until its figures stand. */
export async function show(page, web, [, path, ready]) {
  await page.goto(web + path);
  await page.locator(ready).first().waitFor();
  await page.locator('[aria-busy=true], .is-waiting').first().waitFor({ state: 'detached' }).catch(() => {});
}
