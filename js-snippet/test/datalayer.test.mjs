// GA4's e-commerce events, as Google's documents write them, become ours.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, settle } from './page.mjs';

const items = [
  {
    item_id: 'SKU_1',
    item_name: 'Tea',
    item_category: 'Green',
    price: 12.1,
    quantity: 3,
  },
  { item_name: 'Cup', price: '4.99' },
];
const GTAG = `window.dataLayer = window.dataLayer || [];
  function gtag() { dataLayer.push(arguments) }`;

for (const file of ['corong-datalayer.js', 'dist/corong-datalayer.js']) {
  const behaves = (name, body) => test(`${file}: ${name}`, body);
  const page = async (before = '') => {
    const p = open({ build: 'dist/corong.js', before });
    await settle();
    p.collector.beacons = [];
    p.window.document.currentScript = { dataset: {} };
    p.run(file);
    return p;
  };
  const told = async p => {
    await settle();
    return p.collector.events.map(({ id, time, url, referrer, ...rest }) => rest);
  };

  behaves('a purchase is a sale with its items', async () => {
    const p = await page();
    p.window.dataLayer.push({ ecommerce: null });
    p.window.dataLayer.push({
      event: 'purchase',
      ecommerce: { transaction_id: 'T1', value: '41.29', currency: 'USD', tax: 1, items },
    });
    assert.deepEqual(await told(p), [
      { event: 'sale', order: 'T1', value: 41.29, currency: 'USD' },
      {
        event: 'item',
        order: 'T1',
        product: 'SKU_1',
        category: 'Green',
        quantity: 3,
        value: 36.3,
        currency: 'USD',
      },
      { event: 'item', order: 'T1', product: 'Cup', quantity: 1, value: 4.99, currency: 'USD' },
    ]);
  });

  behaves('gtag is the same', async () => {
    const p = await page(GTAG);
    p.window.gtag('js', new Date());
    p.window.gtag('config', 'G-1');
    p.window.gtag('event', 'purchase', { transaction_id: 'T2', value: 5, currency: 'EUR' });
    p.window.gtag('event', 'login', { method: 'Google' });
    p.window.gtag('event', 'begin_checkout');
    assert.deepEqual(await told(p), [
      { event: 'sale', order: 'T2', value: 5, currency: 'EUR' },
      { event: 'checkout' },
    ]);
  });

  behaves('what came before the script is told, by a stub if need be', async () => {
    const p = open({
      build: 'dist/corong.js',
      before: `${GTAG}
        gtag('event', 'view_item', {currency: 'USD', value: 12.1, items: [{item_id: 'a', price: 12.1}]});
        dataLayer.push({event: 'purchase', ecommerce: {transaction_id: 'T3'}})`,
    });
    p.window.document.currentScript = { dataset: {} };
    p.run(file);
    assert.deepEqual(await told(p), [
      { event: 'pageview', title: 'A page' },
      { event: 'view_item', product: 'a', quantity: 1, value: 12.1, currency: 'USD' },
      { event: 'sale', order: 'T3' },
    ]);
  });

  behaves('it may be there before the snippet', async () => {
    const p = open({ build: file, before: GTAG });
    p.window.gtag('event', 'purchase', { transaction_id: 'T4' });
    assert.deepEqual(p.newGlobals(), ['corong']);
    p.run('dist/corong.js');
    assert.deepEqual(
      (await told(p)).map(e => e.event),
      ['pageview', 'sale']
    );
  });

  behaves('items seen and put in the basket are events of their own', async () => {
    const p = await page();
    p.window.dataLayer.push({ event: 'add_to_cart', ecommerce: { currency: 'USD', items } });
    p.window.dataLayer.push({ event: 'view_item', ecommerce: { currency: 'USD', value: 7 } });
    p.window.dataLayer.push({ event: 'begin_checkout', ecommerce: { value: 9, items } });
    assert.deepEqual(await told(p), [
      {
        event: 'add_to_cart',
        product: 'SKU_1',
        category: 'Green',
        quantity: 3,
        value: 36.3,
        currency: 'USD',
      },
      { event: 'add_to_cart', product: 'Cup', quantity: 1, value: 4.99, currency: 'USD' },
      { event: 'view_item', value: 7, currency: 'USD' },
      { event: 'checkout', value: 9 },
    ]);
  });

  behaves('money has the digits of its currency', async () => {
    const p = await page();
    for (const [currency, price] of [
      ['JPY', 33.333],
      ['KWD', 33.3333],
      ['USD', 33.333],
      [undefined, 33.333],
    ])
      p.window.dataLayer.push({
        event: 'add_to_cart',
        ecommerce: { currency, items: [{ item_id: 'a', price, quantity: 3 }] },
      });
    assert.deepEqual(
      (await told(p)).map(e => e.value),
      [100, 100, 100, 100]
    );
  });

  // The digits of ISO 4217, as the collector has them; what browsers print is fewer for some.
  behaves('cents are kept where browsers show none', async () => {
    const p = await page();
    for (const [currency, value] of [
      ['HUF', 12990.5],
      ['idr', 150000.25],
      ['jpy', 33.4],
      ['KWD', 1.2346],
    ])
      p.window.dataLayer.push({ event: 'purchase', ecommerce: { currency, value } });
    assert.deepEqual(
      (await told(p)).map(e => e.value),
      [12990.5, 150000.25, 33, 1.235]
    );
  });

  behaves('a sale whose list of items is null is one', async () => {
    const p = await page();
    p.window.dataLayer.push({ event: 'purchase', ecommerce: { transaction_id: 'T8', items: null } });
    assert.deepEqual(await told(p), [{ event: 'sale', order: 'T8' }]);
  });

  behaves('nonsense does not break the page, and goes on to others', async () => {
    const p = await page();
    const { dataLayer } = p.window;
    assert.equal(dataLayer.push(() => {}, null, 'x', 7, { event: 'constructor' }), 5);
    dataLayer.push({ event: 'purchase', ecommerce: { items: 'none' } });
    dataLayer.push({ event: 'purchase', ecommerce: { transaction_id: 'T5', currency: 'not one' } });
    dataLayer.push({ event: 'purchase', ecommerce: { transaction_id: 'T6' } });
    assert.equal(dataLayer.length, 8);
    assert.ok((await told(p)).some(e => e.order == 'T6'));
  });

  behaves('the layer may have another name', async () => {
    const p = open({ build: 'dist/corong.js' });
    p.window.document.currentScript = { dataset: { layer: 'shopLayer' } };
    p.run(file);
    p.window.shopLayer.push({ event: 'purchase', ecommerce: { transaction_id: 'T7' } });
    assert.deepEqual(
      (await told(p)).map(e => e.event),
      ['pageview', 'sale']
    );
  });
}
