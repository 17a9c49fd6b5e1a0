// The pictures of docs/pictures: every page of the demonstration, light and dark, 1280 x 800.
// `make pictures` makes them anew; look at them before they are committed.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PAGES, show, startDemo } from './demo_pages.mjs';
import { withPalette } from './palette.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../../docs/pictures', import.meta.url));
const demo = await startDemo();
try {
  await mkdir(folder, { recursive: true });
  let bytes = 0;
  for (const colorScheme of ['light', 'dark']) {
    const page = await demo.open({ colorScheme });
    for (const one of PAGES) {
      await show(page, demo.service.web, one);
      /* a tab of the report lies below its drawing */
      if (one[1].includes('tab=')) await page.locator('#shown').evaluate(part => part.scrollIntoView({ block: 'start' }));
      await page.waitForTimeout(150);
      const png = withPalette(await page.screenshot());
      bytes += png.length;
      await writeFile(`${folder}/${one[0]}-${colorScheme}.png`, png);
    }
    await page.context().close();
  }
  console.log(`${2 * PAGES.length} pictures, ${Math.round(bytes / 1024)} kB, in ${folder}`);
} finally {
  await demo.stop();
}
