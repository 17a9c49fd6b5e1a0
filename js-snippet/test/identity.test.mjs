// Who somebody is, and whether anything may be noted at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builds, Collector, full, Jar, open, settle, storage } from './page.mjs';

for (const build of builds) {
  const page = options => open({ build, ...options });
  const behaves = (name, body) => test(`${build}: ${name}`, body);
  const asks = options => page({ data: { consent: 'required' }, ...options });

  behaves('before consent nothing is stored and nothing sent', async () => {
    const { local, corong, window, fire, tick, collector } = asks();
    corong('click');
    window.history.pushState({}, '', '/a');
    assert.equal(window.corong.id(), false);
    fire('visibilitychange');
    fire('online');
    tick();
    await settle();
    assert.deepEqual(Object.keys(local), []);
    assert.equal(collector.beacons.length, 0);
  });

  behaves('late consent tells where the visitor came in, and from where', async () => {
    const { window, collector } = asks({
      url: 'https://shop.example/?utm_source=mail',
      referrer: 'https://mail.example/',
    });
    window.history.pushState({}, '', '/a');
    window.corong.consent(true);
    await settle();
    const landed = 'https://shop.example/?utm_source=mail';
    assert.deepEqual(
      collector.events.map(e => [e.event, e.url, e.referrer]),
      [
        ['pageview', landed, 'https://mail.example/'],
        ['pageview', 'https://shop.example/a', landed],
      ]
    );
  });

  behaves('consent holds on the next page, and can come before the script', async () => {
    const { local, collector } = asks({
      before: `window.corong = function () { (corong.q = corong.q || []).push(arguments) };
               corong('consent', true)`,
    });
    await settle();
    asks({ local, collector, url: 'https://shop.example/2' });
    await settle();
    assert.deepEqual(collector.names, ['pageview', 'pageview']);
    assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 1);
  });

  for (const consent of ['required', 'none'])
    behaves(`consent ${consent}: taken back, the id and the queue are gone`, async () => {
      const { local, window, corong, collector } = page({ data: { consent } });
      collector.answer = () => 503;
      corong('consent', true);
      corong('click');
      await settle();
      assert.ok(local['corong.id']);
      const { length } = collector.beacons;
      corong('consent', false);
      corong('click');
      window.history.pushState({}, '', '/a');
      await settle();
      assert.deepEqual({ ...local }, { 'corong.consent': '0' });
      page({ local, collector, data: { consent } });
      await settle();
      assert.equal(collector.beacons.length, length);
    });

  behaves('who agrees after all is somebody new, from this page on', async () => {
    const { corong, collector } = page();
    await settle();
    corong('consent', false);
    corong('consent', true);
    await settle();
    assert.deepEqual(collector.names, ['pageview', 'pageview']);
    assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 2);
  });

  behaves('consent taken back in another tab holds here', async () => {
    const local = storage();
    const here = page({ local });
    page({ local }).corong('consent', false);
    here.collector.beacons = [];
    here.corong('click');
    await settle();
    assert.equal(here.collector.beacons.length, 0);
    assert.equal(local['corong.id'], undefined);
  });

  behaves('forgotten, the visitor is somebody new', async () => {
    const { local, window, collector } = page();
    await settle();
    collector.answer = () => 503;
    window.corong('click');
    await settle();
    collector.answer = () => 204;
    window.corong.forget();
    assert.deepEqual(Object.keys(local), []);
    window.history.pushState({}, '', '/a');
    await settle();
    const [first, , last] = collector.beacons;
    assert.deepEqual(
      last.events.map(e => e.url),
      ['https://shop.example/a']
    );
    assert.notEqual(first.visitor, last.visitor);
  });

  behaves('reset makes a new visitor and loses no event', async () => {
    const { window, waiting, tick, collector, clock } = page();
    collector.answer = () => 503;
    await settle();
    const before = window.corong.id();
    window.corong.reset();
    const after = window.corong.id();
    assert.notEqual(before, after);
    assert.equal(collector.beacons[0].visitor, before);
    collector.answer = () => 204;
    window.corong('click');
    clock.ms += 6e3;
    tick();
    await settle();
    assert.equal(waiting().length, 0);
    assert.deepEqual(
      new Set(collector.beacons.map(b => [b.visitor, b.events.length].join())),
      new Set([before + ',1', after + ',1'])
    );
  });

  behaves('the id is the one that is sent', async () => {
    const { window, collector } = page();
    await settle();
    assert.equal(window.corong.id(), collector.beacons[0].visitor);
  });

  behaves('signals of the browser count where the setting says so', async () => {
    const gpc = { globalPrivacyControl: true };
    const dnt = { doNotTrack: '1' };
    for (const [respect, signals, sent] of [
      ['gpc dnt', gpc, 0],
      ['gpc dnt', dnt, 0],
      ['gpc', dnt, 1],
      ['dnt', gpc, 1],
      ['gpc dnt', { doNotTrack: '0', globalPrivacyControl: false }, 1],
      [undefined, { ...gpc, ...dnt }, 1],
    ]) {
      const { local, window, collector } = page({ data: { respect }, signals });
      window.corong.consent(true);
      await settle();
      assert.equal(collector.beacons.length, sent, JSON.stringify([respect, signals]));
      assert.equal('corong.id' in local, !!sent);
    }
  });

  behaves('cookieless stores nothing at all, and lets nobody set a cookie', async () => {
    const { local, jar, corong, window, collector } = page({ data: { identity: 'cookieless' } });
    collector.setsCookie = true;
    jar.values.corong = '1780315100000123456789'; // of somebody who was here before
    corong('click');
    window.corong.set?.({ plan: 'pro' });
    window.corong.consent(true);
    await settle();
    assert.deepEqual(collector.names, ['click', 'pageview']);
    assert.ok(collector.beacons.every(b => !b.credentials && b.visitor != jar.values.corong));
    corong('forget');
    assert.deepEqual(Object.keys(local), []);
    assert.deepEqual(jar.values, { corong: '1780315100000123456789' });
  });

  behaves('the cookie is the id where storage has none, or an older one', async () => {
    const NEWER = Date.UTC(2026, 5, 1, 11) + '42';
    const OLDER = Date.UTC(2026, 5, 1, 10) + '9999999999';
    for (const [cookie, stored, id] of [
      [NEWER, undefined, NEWER],
      [NEWER, OLDER, NEWER],
      [OLDER, NEWER, NEWER],
      [undefined, OLDER, OLDER],
    ]) {
      const jar = new Jar();
      const local = storage();
      jar.values.other = 'corong';
      if (cookie) jar.values.corong = cookie;
      if (stored) local['corong.id'] = stored;
      const { collector } = page({ local, jar });
      await settle();
      assert.equal(collector.beacons[0].visitor, id);
      assert.ok(collector.beacons[0].credentials);
      assert.equal(local['corong.id'], id);
    }
  });

  behaves('a cookie as old as an id may get ends with it', async () => {
    const jar = new Jar();
    jar.values.corong = Date.UTC(2025, 4, 4, 11) + '42'; // 393 days and an hour
    const { collector } = page({ jar });
    await settle();
    assert.match(collector.beacons[0].visitor, /^1780315200000/);
  });

  behaves('with the cookie a visitor is the same on another host of the site', async () => {
    const jar = new Jar();
    const collector = new Collector();
    collector.setsCookie = true;
    for (const url of ['https://www.shop.example/', 'https://pay.shop.example/']) {
      page({ jar, collector, url });
      await settle();
    }
    assert.equal(new Set(collector.beacons.map(b => b.visitor)).size, 1);
  });

  for (const word of ['forget', 'consent'])
    behaves(`${word} deletes the cookie, whichever domain above it is its own`, async () => {
      for (const url of ['https://a.b.shop.example/', 'https://shop.example/']) {
        const { jar, collector, corong } = page({ url });
        collector.setsCookie = true;
        await settle();
        assert.ok(jar.values.corong);
        corong(word, false);
        assert.deepEqual(jar.values, {});
      }
    });

  behaves('an answer that comes after it was forgotten brings nothing back', async () => {
    const { jar, local, collector, corong } = page();
    collector.setsCookie = true;
    let answer;
    collector.answer = () => new Promise(resolve => (answer = resolve));
    await settle();
    corong('consent', false);
    answer(204);
    await settle();
    assert.deepEqual(jar.values, {});
    assert.deepEqual({ ...local }, { 'corong.consent': '0' });
  });

  behaves('reset counts at once, also with a late answer to the one before', async () => {
    const { jar, collector, window, clock } = page();
    collector.setsCookie = true;
    let answer;
    collector.answer = () => new Promise(resolve => (answer = resolve));
    await settle();
    const before = window.corong.id();
    clock.ms += 1;
    window.corong.reset();
    answer(204); // and its cookie
    await settle();
    assert.equal(jar.values.corong, before);
    const after = window.corong.id();
    assert.notEqual(after, before);
    collector.answer = () => 204;
    window.corong('click');
    await settle();
    assert.equal(jar.values.corong, after);
  });

  behaves('a ticket leaves the address before anything is told, and goes along once', async () => {
    const ticket = '17803151999991234.1780315199999.Jx0c-_w';
    for (const [tail, clean] of [
      ['?_c=' + ticket, ''],
      ['?a=1&_c=' + ticket, '?a=1'],
      ['?a=1&_c=' + ticket + '#part', '?a=1#part'],
    ]) {
      const { window, collector, corong } = page({ url: 'https://shop.example/p' + tail });
      corong('click');
      window.history.pushState({}, '', '/2');
      await settle();
      assert.equal(window.location.href, 'https://shop.example/2');
      assert.deepEqual(
        collector.events.map(e => [e.event, e.url, e.ticket]),
        [
          ['pageview', 'https://shop.example/p' + clean.split('#')[0], ticket],
          ['click', 'https://shop.example/p' + clean.split('#')[0], undefined],
          ['pageview', 'https://shop.example/2', undefined],
        ]
      );
      assert.ok(collector.beacons.every(b => !b.visitor.startsWith('17803151999991234')));
    }
  });

  behaves('what is no ticket stays in the address', async () => {
    for (const query of ['?_c=', '?a_c=1.2.3', '?_c=1&b=2', '?b=_c=1']) {
      const { window } = page({ url: 'https://shop.example/' + query });
      assert.equal(window.location.href, 'https://shop.example/' + query);
    }
  });

  behaves('a ticket waits for consent', async () => {
    const { window, collector, local } = asks({ url: 'https://shop.example/?_c=a.1.b' });
    assert.equal(window.location.href, 'https://shop.example/');
    await settle();
    assert.deepEqual(Object.keys(local), []);
    window.corong.consent(true);
    await settle();
    assert.deepEqual(
      collector.events.map(e => e.ticket),
      ['a.1.b']
    );
  });

  behaves('an event may be named like what every object has', async () => {
    const { corong, collector } = page();
    corong('constructor');
    corong('name');
    await settle();
    assert.deepEqual(collector.names, ['constructor', 'name', 'pageview']);
  });
}

for (const build of full) {
  const page = options => open({ build, ...options });
  const behaves = (name, body) => test(`${build}: ${name}`, body);

  behaves('off by a link, until it is on by one', async () => {
    const { local, collector } = page();
    await settle();
    const visit = async query => {
      const { window } = page({ local, collector, url: 'https://shop.example/' + query });
      window.corong.consent(true); // by a banner that knows nothing of this
      await settle();
      return collector.beacons.length;
    };
    assert.equal(await visit('?a=1&corong=off'), 1);
    assert.equal(local['corong.id'], undefined);
    assert.equal(await visit('2'), 1);
    assert.equal(await visit('?corong=on'), 2);
    assert.equal(await visit('3'), 3);
    assert.equal(await visit('?corong=offer'), 4); // another word, of somebody else's
    assert.equal(await visit('5'), 5);
  });

  behaves('what is set is carried on later events and pages, until reset', async () => {
    const { local, corong, window, collector } = page();
    window.corong.set({ plan: 'pro', size: 'm' });
    window.corong.set({ size: 'l', plan: undefined, tier: 2 });
    corong('click', { properties: { size: 's' } });
    await settle();
    const [view, click] = collector.events;
    assert.equal(view.properties, undefined);
    assert.deepEqual(click.properties, { size: 's', tier: 2 });

    const next = page({ local });
    next.corong('reset');
    next.corong('click');
    await settle();
    const named = name => next.collector.events.find(e => e.event == name);
    assert.deepEqual(named('pageview').properties, { size: 'l', tier: 2 });
    assert.equal(named('click').properties, undefined);
  });

  behaves('nothing is set before consent', () => {
    const { local, window } = page({ data: { consent: 'required' } });
    window.corong.set({ plan: 'pro' });
    assert.equal(window.corong.code(), false);
    assert.deepEqual(Object.keys(local), []);
  });

  behaves('the code is the ten digits of the id behind its time', () => {
    const { window } = page();
    assert.match(window.corong.code(), /^\d{10}$/);
    assert.equal(window.corong.id().indexOf(window.corong.code()), 13);
  });

  behaves('identify tells the id that the site knows, and changes nothing here', async () => {
    const { window, corong, collector } = page({
      before: `window.corong = function () { (corong.q = corong.q || []).push(arguments) };
               corong('identify', 'early')`,
    });
    const id = window.corong.id();
    window.corong.identify('u1');
    corong('identify', 77);
    await settle();
    assert.deepEqual(
      collector.events.filter(e => e.event == 'identify').map(e => e.known),
      ['early', 'u1', 77]
    );
    assert.deepEqual(new Set(collector.beacons.map(b => b.visitor)), new Set([id]));
    assert.equal(window.corong.id(), id);
  });

  behaves('identify with nobody says nothing, nor without consent', async () => {
    const { window, collector } = page();
    for (const nobody of [undefined, null, '', 0, false]) window.corong.identify(nobody);
    await settle();
    assert.deepEqual(collector.names, ['pageview']);
    const asks = page({ data: { consent: 'required' } });
    asks.corong('identify', 'u1');
    await settle();
    assert.equal(asks.collector.beacons.length, 0);
  });

  behaves('beforeSend changes and withholds, from the first page view on', async () => {
    const { corong, window, collector, errors } = page({
      url: 'https://shop.example/?token=secret',
      before: `window.corong = function () { (corong.q = corong.q || []).push(arguments) };
               corong.beforeSend = e => e.event == 'secret' ? null
                 : Object.assign(e, {url: e.url.split('?')[0]})`,
    });
    corong('secret');
    corong('sale', { order: '1', items: [{ product: 'a' }] });
    await settle();
    assert.deepEqual(collector.names, ['item', 'pageview', 'sale']);
    assert.ok(collector.events.every(e => e.url == 'https://shop.example/'));
    window.corong.beforeSend = () => {
      throw new Error('a bug of the site');
    };
    corong('click');
    await settle();
    assert.equal(collector.events.length, 3);
    assert.equal(errors.length, 1);
  });
}
