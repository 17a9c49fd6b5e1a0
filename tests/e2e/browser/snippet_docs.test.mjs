// What docs/snippet/ tells people to paste works as it is written there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';
import { it, named, open, received } from './snippet_page.mjs';
import { SITE } from './stand_in.mjs';

// The n-th block of a language on a page, for this collector and this site.
function block(page, language, n) {
  const text = readFileSync(new URL(`../../../docs/snippet/${page}.md`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))];
  return blocks[n][1]
    .replaceAll('https://stats.shop.example', it.collector.origin)
    .replaceAll('site_...', SITE);
}

// A page that is nothing but this, and allows scripts in itself as most sites do.
async function paste(html) {
  it.collector.pages['/'] = {
    html: `<!doctype html><title>Shop</title>${html}`,
    headers: { 'content-security-policy': "default-src 'self' 'unsafe-inline'" },
  };
  await open('/');
}

test('html: the tag, a declared click and form, a sale', async () => {
  await paste(block('html', 'html', 1) + block('html', 'html', 2));
  await received('sale');
  await received('item', 2);
  await it.page.click('button');
  await received('plan');
  assert.deepEqual(named('plan')[0].properties, { name: 'pro' });
  assert.equal(named('pageview').length, 1);
  assert.deepEqual(it.wrong, []);
});

test('google-tag-manager: both scripts', async () => {
  const layer = block('google-tag-manager', 'js', 0);
  const tag = block('google-tag-manager', 'html', 0).replace('  })();', `${layer}  })();`);
  await paste(`<script>dataLayer = [{event: 'purchase', ecommerce: {transaction_id: 'T1'}}]</script>${tag}`);
  await received('pageview');
  await received('sale');
  assert.equal(named('sale')[0].order, 'T1');
  assert.deepEqual(it.wrong, []);
});

test('consent: the tag and the words, whichever comes first', async () => {
  const tag = block('consent', 'html', 0);
  const [stub] = block('consent', 'js', 0).split('\n');
  await paste(tag + `<script>${stub}</script>`);
  await it.page.waitForTimeout(200);
  assert.equal(named('pageview').length, 0);
  await it.page.evaluate(() => window.corong('consent', true));
  await received('pageview');
  await it.page.evaluate(() => localStorage.clear());
  await paste(`<script>${stub}; corong('consent', true)</script>${tag}`);
  await received('pageview', 2);
});

test('shopify: the pixel tells a sale and its items of the visitor', async () => {
  let subscribed;
  let request;
  vm.runInNewContext(block('shopify', 'js', 0), {
    analytics: { subscribe: (name, f) => (subscribed = { name, f }) },
    browser: { localStorage: { getItem: async key => (key === 'corong.id' ? '1780315200123456' : null) } },
    fetch: (url, options) => (request = { url, ...options }),
  });
  assert.equal(subscribed.name, 'checkout_completed');
  await subscribed.f({
    timestamp: '2026-06-01T12:00:00.000Z',
    context: { document: { location: { href: 'https://shop.example/thank-you' } } },
    data: {
      checkout: {
        order: { id: '5512' },
        currencyCode: 'USD',
        totalPrice: { amount: 41.29 },
        lineItems: [
          {
            title: 'Tea',
            quantity: 3,
            finalLinePrice: { amount: 36.3 },
            variant: { sku: 'a', product: { type: 'Green' } },
          },
          { title: 'Cup', quantity: 1, finalLinePrice: { amount: 4.99 } },
        ],
      },
    },
  });
  assert.equal(request.url, it.collector.origin + '/e');
  const { site, visitor, events } = JSON.parse(request.body);
  assert.deepEqual([site, visitor], [SITE, '1780315200123456']);
  assert.deepEqual(
    events.map(e => [e.event, e.order, e.product, e.category, e.quantity, e.value, e.currency]),
    [
      ['sale', '5512', undefined, undefined, undefined, 41.29, 'USD'],
      ['item', '5512', 'a', 'Green', 3, 36.3, 'USD'],
      ['item', '5512', 'Cup', undefined, 1, 4.99, 'USD'],
    ]
  );
  assert.ok(events.every(e => e.time === Date.UTC(2026, 5, 1, 12)));
});
