/* The snippet: tells a site's collector what its visitors do.
 *
 *   <script defer src="https://stats.shop.example/corong.js" data-site="site_..."></script>
 *   corong('sale', {order: '77', value: 12.5, currency: 'USD'})
 *
 * How it works. Every event is first written to localStorage, under a key of its own, and taken out
 * only when the collector has answered 2xx: a page that closes, a network that fails or a collector
 * that is away delays an event and does not lose it. What is left over goes out from the site's
 * next page, when the browser comes back on line or into view, and every half minute. Ids and times
 * are given once, here, so that an event that was sent twice counts once.
 *
 * One key an event (and not one list of them) is what makes it safe in several tabs: nobody reads,
 * changes and writes back what somebody else is changing too.
 *
 *   corong.id                                <visitor id>.<epoch ms when it was made>
 *   corong.<site>.<epoch ms>.<visitor>.<id>  <epoch ms of the last try><the event's JSON>
 *
 * Where storage is blocked, all of this lives in an object for as long as the page does.
 */
(() => {
  const script = document.currentScript || document.querySelector('script[data-site]');
  const stub = window.corong;
  if (!script || (stub && stub.ready)) return;

  const DAY_MS = 864e5;
  const ID_LIFE_MS = 393 * DAY_MS; // the shortest 13 months there are
  const QUEUE_LIFE_MS = DAY_MS;
  const QUEUE_MAX = 100;
  const RETRY_MS = 5e3; // an earlier page's send may still be on its way: leave it that long
  const TIMER_MS = 3e4;
  const STAMP = 13; // digits of epoch ms, until the year 2286
  const BEACON_CHARS = 15e3; // browsers let 64 KiB of keepalive bodies be under way together

  const site = script.dataset.site;
  const endpoint = new URL('e', script.src).href; // beside the script, also behind a proxy's path
  const mine = 'corong.' + site + '.';
  const flying = {}; // keys of events that this page is sending
  let box = {};
  let page; // the address that was counted last
  let referrer = document.referrer;
  let scheduled;

  try {
    box = localStorage || box;
  } catch (e) {} // blocked

  // A full or read-only storage: this page goes on with a copy.
  const put = (key, value) => {
    try {
      box[key] = value;
    } catch (e) {
      box = { ...box, [key]: value };
    }
  };

  const random = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
      (byte + 256).toString(16).slice(1)
    ).join('');

  const visitor = () => {
    let [id, since] = (box['corong.id'] || '').split('.');
    if (!(Date.now() - since < ID_LIFE_MS)) {
      id = random();
      put('corong.id', id + '.' + Date.now());
    }
    return id;
  };

  // Take the events with these keys out of the queue.
  const drop = keys => keys.forEach(key => delete box[key]);

  const send = keys => {
    const body =
      JSON.stringify({ site, visitor: keys[0].split('.')[3], sent: Date.now() }).slice(0, -1) +
      ',"events":[' +
      keys.map(key => box[key].slice(STAMP)) +
      ']}';
    const land = () => keys.forEach(key => delete flying[key]);

    keys.forEach(key => {
      flying[key] = 1;
      put(key, Date.now() + box[key].slice(STAMP));
    });
    if (!('keepalive' in Request.prototype)) {
      // No answer is to be had here: what the browser has taken counts as sent.
      if (navigator.sendBeacon(endpoint, body)) drop(keys);
      return land();
    }
    // A text body makes a cross-origin POST one request: no preflight.
    fetch(endpoint, { method: 'POST', body, keepalive: true }).then(({ ok, status }) => {
      land();
      if (ok) drop(keys);
      else if (status < 500 && status != 429) {
        // Refused for good. Which of them it was shows when they go one by one.
        if (keys[1]) keys.forEach(key => box[key] && send([key]));
        else drop(keys);
      }
    }, land);
  };

  // Send every event of the queue whose last try was `age` ms ago or more.
  const flush = age => {
    const now = Date.now();
    const queue = Object.keys(box)
      .filter(key => key.startsWith(mine))
      .sort(); // by time
    let keys = [];
    let size = 0;

    queue.forEach((key, i) => {
      const [, , time, id] = key.split('.');
      if (now - time > QUEUE_LIFE_MS || i < queue.length - QUEUE_MAX) return drop([key]);
      if (flying[key] || Math.abs(now - box[key].slice(0, STAMP)) < age) return;
      // A beacon is of one visitor, and small.
      if (size > BEACON_CHARS || (size && keys[0].split('.')[3] != id)) {
        send(keys);
        keys = [];
        size = 0;
      }
      keys.push(key);
      size += box[key].length;
    });
    if (size) send(keys);
  };

  const retry = () => flush(RETRY_MS);

  // Note an event. What one task of the page notes goes in one beacon, before the page can leave,
  // with whatever else waits.
  const track = (event, attributes) => {
    const time = Date.now();
    const id = random();
    try {
      put(
        [mine + time, visitor(), id].join('.'),
        // never tried: 13 digits, long ago
        1e12 +
          JSON.stringify({
            event,
            id,
            time,
            url: address(),
            language: navigator.language,
            ...attributes,
          })
      );
    } catch (e) {
      console.error(e); // attributes that are no JSON: the page must not suffer for it
    }
    scheduled =
      scheduled ||
      Promise.resolve().then(() => {
        scheduled = 0;
        retry();
      });
  };

  // The fragment says where on the page, or holds secrets; only in #/ and #! it names a page.
  const address = () => location.href.replace(/#(?![/!]).*/, '');

  const view = () => {
    if (address() == page) return;
    track('pageview', { title: document.title, referrer });
    referrer = page = address();
  };

  const start = () => {
    view();
    ((stub && stub.q) || []).forEach(call => track(...call));

    ['pushState', 'replaceState'].forEach(name => {
      const original = history[name];
      history[name] = function () {
        original.apply(this, arguments);
        view();
      };
    });
    addEventListener('popstate', view);
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) {
        page = 0; // came back out of the back/forward cache: seen again
        view();
      }
    });
    addEventListener('online', () => flush(0));
    document.addEventListener('visibilitychange', retry);
    setInterval(retry, TIMER_MS);
  };

  window.corong = track;
  track.ready = 1;
  // A page that is only rendered ahead is not seen yet.
  if (document.prerendering) document.addEventListener('prerenderingchange', start, { once: true });
  else start();
})();
