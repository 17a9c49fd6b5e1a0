// Time and depth, by a clock that the test moves. Clicks, links, forms and errors need a real
// document: tests/e2e/browser/snippet_extras.test.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, open, settle } from './page.mjs';

for (const build of full) {
  const page = options => open({ build, ...options });
  const behaves = (name, body) => test(`${build}: ${name}`, body);
  const engages = ({ collector }) => collector.events.filter(e => e.event == 'engage');
  const hide = p => {
    p.window.document.hidden = true;
    p.fire('visibilitychange');
  };
  const show = p => {
    p.window.document.hidden = false;
    p.fire('visibilitychange');
  };

  behaves('leaving tells the time in view, the depth and the load time', async () => {
    const p = page({ load_ms: 812.4 });
    p.clock.ms += 4000;
    p.window.scrollY = 700;
    p.fire('scroll');
    p.window.scrollY = 0;
    p.clock.ms += 3000;
    p.fire('pagehide');
    hide(p);
    await settle();
    const [{ event, url, engaged_ms, scroll_pct, load_ms }, ...more] = engages(p);
    assert.deepEqual(
      { event, url, engaged_ms, scroll_pct, load_ms },
      {
        event: 'engage',
        url: 'https://shop.example/',
        engaged_ms: 7000,
        scroll_pct: 60,
        load_ms: 812,
      }
    );
    assert.equal(more.length, 0);
  });

  // Else a click on a tagged landing page would take the referrer away from what follows.
  behaves('every event of a page says where somebody came to it from', async () => {
    const p = page({ referrer: 'https://search.example/' });
    p.corong('click');
    p.clock.ms += 2000;
    p.go('/next');
    p.corong('click');
    p.clock.ms += 2000;
    hide(p);
    await settle();
    assert.deepEqual(
      p.collector.events.map(e => [e.event, new URL(e.url).pathname, e.referrer]),
      [
        ['pageview', '/', 'https://search.example/'],
        ['click', '/', 'https://search.example/'],
        ['engage', '/', 'https://search.example/'],
        ['pageview', '/next', 'https://shop.example/'],
        ['click', '/next', 'https://shop.example/'],
        ['engage', '/next', 'https://shop.example/'],
      ]
    );
  });

  behaves('leaving again tells only the time since', async () => {
    const p = page({ load_ms: 812 });
    p.clock.ms += 5000;
    hide(p);
    p.clock.ms += 60e3; // elsewhere
    show(p);
    p.clock.ms += 2000;
    hide(p);
    await settle();
    assert.deepEqual(
      engages(p).map(e => [e.engaged_ms, e.load_ms]),
      [
        [5000, 812],
        [2000, undefined],
      ]
    );
  });

  behaves('time without a sign of anybody counts for 30 s at most', async () => {
    const p = page();
    p.clock.ms += 10e3;
    p.fire('keydown');
    p.clock.ms += 600e3;
    p.fire('pointermove');
    p.clock.ms += 1e3;
    hide(p);
    await settle();
    assert.deepEqual(
      engages(p).map(e => e.engaged_ms),
      [41e3]
    );
  });

  behaves('nothing is told of a page that was hardly there', async () => {
    const p = page();
    p.clock.ms += 40;
    hide(p);
    await settle();
    assert.equal(engages(p).length, 0);
  });

  behaves('each page of a single-page site has its own', async () => {
    const p = page();
    p.clock.ms += 4000;
    p.window.scrollY = 1500;
    p.fire('scroll');
    p.window.history.pushState({}, '', '/a');
    p.window.scrollY = 0;
    p.clock.ms += 1000;
    hide(p);
    await settle();
    assert.deepEqual(
      engages(p).map(e => [new URL(e.url).pathname, e.engaged_ms, e.scroll_pct]),
      [
        ['/', 4000, 100],
        ['/a', 1000, 25],
      ]
    );
    assert.deepEqual(
      p.collector.events.map(e => e.event),
      ['pageview', 'engage', 'pageview', 'engage']
    );
  });

  behaves('time before consent is nobody\'s', async () => {
    const p = page({ data: { consent: 'required' } });
    p.clock.ms += 9000;
    p.corong('consent', true);
    p.clock.ms += 2000;
    hide(p);
    await settle();
    assert.deepEqual(
      engages(p).map(e => e.engaged_ms),
      [2000]
    );
  });

  behaves('after the back/forward cache time starts anew', async () => {
    const p = page();
    p.clock.ms += 3000;
    p.fire('pagehide'); // of a browser that says no more than this
    p.clock.ms += 20e3;
    p.fire('pageshow', { persisted: true });
    p.clock.ms += 1000;
    p.fire('pagehide');
    await settle();
    assert.deepEqual(
      engages(p).map(e => e.engaged_ms),
      [3000, 1000]
    );
  });

  behaves('the same page three times in a visit is a sign of confusion', async () => {
    const p = page({ url: 'https://shop.example/a' });
    const signs = () =>
      p.collector.events.filter(e => e.event == 'confused').map(e => [e.url, e.properties.sign]);
    const go = path => p.window.history.pushState({}, '', path);
    for (const path of ['/b', '/a', '/c']) go(path);
    p.clock.ms += 29 * 60e3;
    await settle();
    assert.deepEqual(signs(), []);
    go('/a');
    go('/b');
    go('/a'); // the fourth time says nothing new
    await settle();
    assert.deepEqual(signs(), [['https://shop.example/a', 'same_page_3']]);
  });

  behaves('a pause of half an hour begins another visit', async () => {
    const p = page();
    for (const path of ['/b', '/', '/b', '/']) {
      p.clock.ms += 31 * 60e3;
      p.window.history.pushState({}, '', path);
    }
    await settle();
    assert.ok(p.collector.names.includes('pageview'));
    assert.ok(!p.collector.names.includes('confused'));
  });
}
