import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builds, Clock, Collector, open, settle, SITE, storage } from './page.mjs';

const DAY_MS = 864e5;

// Every behaviour holds for the source and for what is shipped.
for (const build of builds) {
  const page = options => open({ build, ...options });
  const behaves = (name, body) => test(`${build}: ${name}`, body);

  behaves('a page view goes to the collector beside the script', async () => {
    const { collector } = page({
      url: 'https://shop.example/p/1?utm_source=mail#reviews',
      referrer: 'https://mail.example/',
    });
    await settle();
    assert.equal(collector.beacons.length, 1);
    const [beacon] = collector.beacons;
    assert.equal(beacon.url, 'https://stats.shop.example/e');
    assert.equal(beacon.site, SITE);
    assert.match(beacon.visitor, /^1780315200000\d{2,20}$/);
    assert.equal(beacon.sent, Date.UTC(2026, 5, 1, 12));
    const { id, ...event } = beacon.events[0];
    assert.match(id, /^100000\d{2,20}$/);
    assert.deepEqual(event, {
      event: 'pageview',
      time: Date.UTC(2026, 5, 1, 12),
      url: 'https://shop.example/p/1?utm_source=mail',
      referrer: 'https://mail.example/',
      title: 'A page',
    });
  });

  behaves('a sale with items is one beacon, all at one time', async () => {
    const { corong, collector } = page();
    corong('sale', {
      order: '77',
      value: 12.5,
      currency: 'USD',
      properties: { gift: true },
      items: [
        { product: 'sku1', category: 'tea', quantity: 2, value: 10 },
        { product: 'sku2', quantity: 1, value: 2.5 },
      ],
    });
    await settle();
    assert.equal(collector.beacons.length, 1);
    const [, sale, ...items] = collector.events;
    assert.deepEqual(
      [sale.event, sale.order, sale.value, sale.currency, sale.properties],
      ['sale', '77', 12.5, 'USD', { gift: true }]
    );
    assert.equal('items' in sale, false);
    assert.equal(sale.url, 'https://shop.example/');
    const { time, url, referrer } = sale;
    const rest = { event: 'item', time, url, referrer };
    assert.deepEqual(items, [
      {
        ...rest,
        id: '77/0',
        order: '77',
        currency: 'USD',
        product: 'sku1',
        category: 'tea',
        quantity: 2,
        value: 10,
      },
      {
        ...rest,
        id: '77/1',
        order: '77',
        currency: 'USD',
        product: 'sku2',
        quantity: 1,
        value: 2.5,
      },
    ]);
  });

  behaves('a receipt that is opened again has the same items', async () => {
    const { corong, collector } = page();
    for (let i = 0; i < 2; i++) corong('sale', { order: '77', items: [{ product: 'sku1' }] });
    await settle();
    const ids = collector.events.filter(e => e.event == 'item').map(e => e.id);
    assert.deepEqual(ids, ['77/0', '77/0']);
  });

  behaves('events of one millisecond keep their order', async () => {
    const { corong, collector } = page();
    for (let i = 0; i < 20; i++) corong('step', { properties: { i } });
    await settle();
    const steps = collector.events.filter(e => e.event == 'step');
    assert.equal(new Set(steps.map(e => e.time)).size, 1);
    const byId = [...steps].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(
      byId.map(e => e.properties.i),
      Array.from({ length: 20 }, (_, i) => i)
    );
  });

  behaves('ids differ from event to event', async () => {
    const { corong, collector } = page();
    for (let i = 0; i < 50; i++) corong('click');
    await settle();
    assert.equal(new Set(collector.events.map(e => e.id)).size, 51);
  });

  behaves('calls before it has loaded are kept', async () => {
    const { collector } = page({
      before: `window.corong = window.corong || function () {
                 (corong.q = corong.q || []).push(arguments) };
               corong('signup', {properties: {plan: 'free'}})`,
    });
    await settle();
    assert.deepEqual(collector.names, ['pageview', 'signup']);
    const signup = collector.events.find(e => e.event === 'signup');
    assert.deepEqual(signup.properties, { plan: 'free' });
  });

  behaves('history navigation is a page view, the same address is not', async () => {
    const { window, go, clock, collector } = page({ referrer: 'https://search.example/' });
    clock.ms += 1;
    window.history.pushState({}, '', '/a');
    window.history.replaceState({}, '', '/a#part');
    window.history.replaceState({}, '', undefined);
    clock.ms += 1;
    go('/');
    await settle();
    assert.deepEqual(
      collector.events.map(e => [e.url, e.referrer]),
      [
        ['https://shop.example/', 'https://search.example/'],
        ['https://shop.example/a', 'https://shop.example/'],
        ['https://shop.example/', 'https://shop.example/a'],
      ]
    );
  });

  behaves('a fragment that names a page is one', async () => {
    const { go, collector } = page();
    go('/#/basket');
    go('/#!checkout');
    go('/#top');
    await settle();
    assert.deepEqual(
      collector.events.map(e => e.url).sort(),
      ['', '', '#!checkout', '#/basket'].map(f => 'https://shop.example/' + f)
    );
  });

  behaves('a page out of the back/forward cache is seen again', async () => {
    const { fire, collector } = page();
    fire('pageshow', { persisted: false });
    fire('pageshow', { persisted: true });
    await settle();
    assert.deepEqual(collector.names, ['pageview', 'pageview']);
  });

  behaves('a page rendered ahead counts when it is shown', async () => {
    const { fire, collector } = page({ prerendering: true });
    await settle();
    assert.equal(collector.beacons.length, 0);
    fire('prerenderingchange');
    await settle();
    assert.deepEqual(collector.names, ['pageview']);
  });

  behaves('the visitor is the same on the next page, for 13 months at most', async () => {
    const local = storage();
    const clock = new Clock();
    const collector = new Collector();
    const visit = async () => {
      page({ local, clock, collector });
      await settle();
    };
    await visit();
    clock.ms += 392 * DAY_MS;
    await visit();
    clock.ms += 2 * DAY_MS;
    await visit();
    const [first, second, third] = collector.beacons.map(b => b.visitor);
    assert.equal(first, second);
    assert.notEqual(first, third);
    assert.match(third, /^\d{15,33}$/);
  });

  behaves('with storage blocked a page has one id and still counts', async () => {
    const { corong, collector } = page({ local: null });
    corong('click');
    await settle();
    corong('click');
    await settle();
    assert.deepEqual(collector.names, ['click', 'click', 'pageview']);
    assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 1);
  });

  behaves('with storage full it goes on, and knows the visitor', async () => {
    const local = storage({ capacity: 1 });
    const id = Date.UTC(2026, 5, 1, 12) - 1 + '123456789';
    local['corong.id'] = id;
    const { corong, collector } = page({ local });
    corong('click');
    await settle();
    assert.deepEqual(collector.names, ['click', 'pageview']);
    assert.equal(collector.beacons[0].visitor, id);
  });

  behaves('nothing is left in the queue after a 2xx', async () => {
    const { waiting, corong } = page();
    corong('click');
    assert.equal(waiting().length, 2);
    await settle();
    assert.equal(waiting().length, 0);
  });

  for (const status of [503, 429, 0]) {
    behaves(`${status || 'no network'} keeps the event, the next page sends it`, async () => {
      const first = page();
      const { local, clock, collector } = first;
      collector.answer = () => status;
      first.corong('sale', { order: '1' });
      await settle();
      assert.equal(first.waiting().length, 2);
      const before = collector.events.slice(0, 2);

      collector.answer = () => 204;
      collector.beacons = [];
      clock.ms += 60e3;
      const second = page({ local, clock, collector });
      await settle();
      assert.deepEqual(collector.names, ['pageview', 'pageview', 'sale']);
      assert.equal(second.waiting().length, 0);
      for (const event of before)
        assert.deepEqual(
          collector.events.find(e => e.id === event.id),
          event
        );
      assert.equal(collector.beacons[0].sent, clock.ms);
    });
  }

  behaves('what was kept goes out on line again, in view again, and by itself', async () => {
    for (const wake of [
      p => p.fire('online'), // at once: there was nobody to spare
      p => ((p.clock.ms += 6e3), p.fire('visibilitychange')),
      p => ((p.clock.ms += 30e3), p.tick()),
    ]) {
      const p = page();
      p.collector.answer = () => 0;
      await settle();
      assert.equal(p.waiting().length, 1);
      p.collector.answer = () => 204;
      wake(p);
      await settle();
      assert.equal(p.waiting().length, 0);
    }
  });

  behaves('a collector that answers 503 is not asked again for 5 s', async () => {
    const p = page();
    p.collector.answer = () => 503;
    await settle();
    p.fire('online');
    p.corong('click');
    await settle();
    assert.deepEqual(
      p.collector.beacons.map(b => b.events.map(e => e.event)),
      [['pageview'], ['click']]
    );
    p.clock.ms += 5e3;
    p.collector.answer = () => 204;
    p.fire('visibilitychange');
    await settle();
    assert.equal(p.waiting().length, 0);
  });

  behaves('the beacon goes where data-endpoint says, seen from the script', async () => {
    for (const [endpoint, url] of [
      ['e', 'https://stats.shop.example/e'],
      ['look', 'https://stats.shop.example/look'],
      ['/a/b', 'https://stats.shop.example/a/b'],
      ['https://shop.example/x', 'https://shop.example/x'],
    ]) {
      const { collector } = page({ data: { endpoint } });
      await settle();
      assert.equal(collector.beacons[0].url, url);
    }
  });

  behaves('the next page leaves alone what may still be under way', async () => {
    const { local, clock, collector } = page();
    collector.answer = () => new Promise(() => {}); // the page goes before the answer comes
    await settle();
    clock.ms += 1e3;
    page({ local, clock, collector, url: 'https://shop.example/2' });
    await settle();
    assert.deepEqual(
      collector.events.map(e => e.url),
      ['https://shop.example/', 'https://shop.example/2']
    );
  });

  behaves('an event is not sent twice while it is under way', async () => {
    const { clock, collector, fire } = page();
    collector.answer = () => new Promise(() => {});
    await settle();
    clock.ms += 60e3;
    fire('visibilitychange');
    fire('online');
    await settle();
    assert.equal(collector.names.filter(name => name == 'pageview').length, 1);
  });

  behaves('a refusal for good drops only the event it is about', async () => {
    const { corong, collector, waiting } = page();
    collector.answer = ({ events }) => (events.some(e => e.event === 'bad') ? 400 : 204);
    corong('good');
    corong('bad');
    await settle();
    await settle();
    assert.equal(waiting().length, 0);
    assert.deepEqual(
      collector.beacons.map(b => b.events.length),
      [3, 1, 1, 1]
    );
  });

  behaves('events over a day old are given up', async () => {
    const { local, clock, collector } = page();
    collector.answer = () => 503;
    await settle();
    clock.ms += DAY_MS + 1;
    collector.answer = () => 204;
    collector.beacons = [];
    const next = page({ local, clock, collector });
    await settle();
    assert.equal(collector.events.length, 1);
    assert.equal(collector.events[0].time, clock.ms);
    assert.equal(next.waiting().length, 0);
  });

  behaves('the queue holds the newest hundred', async () => {
    const { corong, clock, collector, waiting, fire } = page();
    collector.answer = () => 0;
    for (let i = 0; i < 120; i++) {
      clock.ms += 1;
      corong('click', { properties: { i } });
    }
    await settle();
    assert.equal(waiting().length, 100);
    collector.answer = () => 204;
    collector.beacons = [];
    fire('online');
    await settle();
    assert.deepEqual(
      collector.events.map(e => e.properties.i),
      Array.from({ length: 100 }, (_, i) => i + 20)
    );
  });

  behaves('beacons stay small', async () => {
    const { corong, collector } = page();
    for (let i = 0; i < 40; i++) corong('note', { properties: { text: 'x'.repeat(1000) } });
    await settle();
    assert.equal(collector.events.length, 41);
    assert.ok(collector.beacons.length > 2);
    for (const { bytes } of collector.beacons) assert.ok(bytes < 20e3, `${bytes} bytes`);
  });

  behaves('a queue of an earlier id goes under that id', async () => {
    const local = storage();
    const clock = new Clock();
    const old = clock.ms - 393 * DAY_MS + 1 + '123456789';
    local['corong.id'] = old;
    const { collector } = page({ local, clock });
    collector.answer = () => 0;
    await settle();
    clock.ms += 10e3;
    collector.answer = () => 204;
    collector.beacons = [];
    page({ local, clock, collector });
    await settle();
    assert.equal(collector.beacons.length, 2);
    assert.equal(collector.beacons[0].visitor, old);
    assert.notEqual(collector.beacons[1].visitor, old);
  });

  behaves('attributes may be null', async () => {
    const { corong, collector, errors } = page();
    corong('click', null);
    await settle();
    assert.deepEqual(collector.names, ['click', 'pageview']);
    assert.equal(errors.length, 0);
  });

  behaves('attributes that are no JSON do not break the page', async () => {
    const { corong, collector, errors } = page();
    const loop = {};
    loop.loop = loop;
    corong('bad', { properties: loop });
    corong('good');
    await settle();
    assert.deepEqual(collector.names, ['good', 'pageview']);
    assert.equal(errors.length, 1);
  });

  behaves('a second tag on the page does nothing', async () => {
    const { runAgain, collector } = page();
    runAgain();
    await settle();
    assert.deepEqual(collector.names, ['pageview']);
  });

  behaves('the only global is corong', () => {
    assert.deepEqual(page().newGlobals(), ['corong']);
  });
}
