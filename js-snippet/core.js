/* The core: what an event is, whose it is, and how it gets to the collector.
 *
 *   <script defer src="https://stats.shop.example/corong.js" data-site="site_..."></script>
 *   corong('sale', {order: '77', value: 12.5, currency: 'USD'})
 *
 * core.js, extras.js and start.js are parts of one function (parts.mjs puts them together); without
 * extras.js they are corong-core.js.
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
 *   corong.id                                <epoch ms when it was made><random digits>
 *   corong.id.set                            <JSON: properties of every event to come>
 *   corong.id.seen                           see extras.js
 *   corong.consent                           1 or 0, where somebody was asked
 *   corong.<site>.<epoch ms>.<visitor>.<id>  <the event's JSON>
 *   corong-mode                              off: this browser is the site's own people's
 *
 * Where storage is blocked, and in cookieless mode, all of this lives in an object for as long as
 * the page does. Else the collector may repeat the id as the cookie `corong` of the whole domain:
 * other hosts of the site see it there, and it outlives what browsers let scripts store. Of the two
 * the newer id counts, so that a late answer to an old beacon does not undo a reset().
 */
const script = document.currentScript;
const stub = window.corong;
if (stub?.consent) return; // a second tag

const ID_LIFE_MS = 393 * 864e5; // the shortest 13 months there are
const QUEUE_LIFE_MS = 864e5; // a day
const QUEUE_MAX = 100;
const RETRY_MS = 5e3; // an earlier page's send may still be on its way: leave it that long
const TIMER_MS = 3e4;
const STAMP = 13; // digits of epoch ms, until the year 2286
const BEACON_BITS = 3; // 8 events: browsers let 64 KiB of keepalive bodies be under way together

const { site, consent, respect, identity, endpoint = 'e' } = script.dataset;
const collector = new URL(endpoint, script.src); // also behind a proxy's path
const mine = 'corong.' + site;
const tried = {}; // by this page: when, by the event's key; Infinity: it is under way
let box = {};
let jar; // document, where cookies may be used
let page; // the address that was counted last
let referrer; // where somebody came to it from
let next = document.referrer; // the next page's

if (identity != 'cookieless')
  try {
    box = localStorage || box;
    jar = document;
  } catch (e) {} // blocked

// A full or read-only storage: this page goes on with a copy.
const put = (key, value) => {
  try {
    box[key] = value;
  } catch (e) {
    box = { ...box, [key]: value };
  }
};

const remove = key => delete box[key];
const keysOf = stem => Object.keys(box).filter(key => key.startsWith(stem));

const listen = (types, f) => types.split(' ').forEach(type => addEventListener(type, f, true));

const random = () => crypto.getRandomValues(new Uint32Array(2)).join('');

let serial = 1e5; // orders the events of one millisecond

// The fragment says where on the page, or holds secrets; only in #/ and #! it names a page.
const address = () => location.href.replace(/#(?![/!]).*/, '');

// The ticket of a link from elsewhere (docs/identity.md) is for the collector, and for nobody who
// copies the address.
let [found, ticket] = /[?&]_c=([\w.-]+)(?=#|$)/.exec(location.href) || [];
if (found) history.replaceState(history.state, '', location.href.replace(found, ''));

let landing = address(); // until it is counted: whoever consents late may be elsewhere by then

const visitor = () => {
  let [, id = ''] = /\bcorong=(\d+)/.exec(jar?.cookie) || [];
  if (box['corong.id'] > id) id = box['corong.id'];
  if (Date.now() - id.slice(0, STAMP) > ID_LIFE_MS) id = Date.now() + random();
  put('corong.id', id);
  return id;
};

// Whether anything may be stored or sent. Asked each time: another tab may have the answer.
let allowed = () =>
  !(/gpc/.test(respect) && navigator.globalPrivacyControl) &&
  !(/dnt/.test(respect) && navigator.doNotTrack > 0) &&
  (box['corong.consent'] || consent != 'required') == 1;

const send = keys => {
  const body = JSON.stringify({
    site,
    sent: Date.now(),
    visitor: keys[0].split('.')[3],
    events: keys.map(key => JSON.parse(box[key])),
  });
  const land = time => {
    keys.forEach(key => (tried[key] = time));
    if (!box['corong.id']) wipe('corong.id'); // forgotten meanwhile
  };

  keys.forEach(key => (tried[key] = Infinity));
  // A text body makes a cross-origin POST one request: no preflight.
  const credentials = jar ? 'include' : 'omit'; // omit: no answer sets a cookie
  fetch(collector, { method: 'POST', body, credentials, keepalive: true }).then(
    ({ ok, status }) => {
      land(Date.now());
      if (ok) keys.forEach(remove);
      // Refused for good. Which of them it was shows when they go one by one.
      else if (status < 500 && status != 429)
        if (keys[1]) keys.forEach(key => box[key] && send([key]));
        else remove(keys[0]);
    },
    () => land(0) // nobody there: nobody to spare
  );
};

// Of which domain the cookie is only the collector knows: this host's or that of one above it.
const wipe = stem => {
  keysOf(stem).forEach(remove);
  location.hostname.split('.').forEach((_, i, labels) => {
    if (jar) jar.cookie = 'corong=;path=/;max-age=0;domain=' + labels.slice(i).join('.');
  });
};

// Send what waits. What this page never tried, another page has tried when it was noted.
const flush = () => {
  const beacons = {};

  keysOf(mine)
    .sort() // by time
    .forEach((key, i, queue) => {
      const [, , time, id] = key.split('.');
      if (Date.now() - time > QUEUE_LIFE_MS || i < queue.length - QUEUE_MAX) return remove(key);
      // A beacon is of one visitor, and small.
      if (Date.now() - (tried[key] ?? time) >= RETRY_MS)
        (beacons[[id, i >> BEACON_BITS]] ||= []).push(key);
    });
  Object.values(beacons).forEach(send);
};

// The last word on what is noted (extras.js has one); null: nothing is.
let amend = noted => noted;

// Note an event. What one task of the page notes goes out together, before the page can leave, with
// whatever else waits.
const track = (event, attributes) => {
  if (!allowed()) return;
  try {
    const { items, order, currency, ...rest } = attributes || {};
    const time = Date.now();
    const id = serial++ + random();
    const noted = amend({ event, time, id, url: address(), referrer, order, currency, ...rest });
    if (noted) {
      const key = [mine, time, visitor(), id].join('.');
      put(key, JSON.stringify(noted));
      tried[key] = 0;
    }
    // ids by the order: a receipt that is opened again counts once
    if (order)
      items?.forEach((item, i) =>
        track('item', { time, id: order + '/' + i, order, currency, ...item })
      );
    queueMicrotask(flush);
  } catch (e) {
    console.error(e); // attributes that are no JSON, a hook that fails: the page must not suffer
  }
};

let see = (url, title) => {
  referrer = next;
  track('pageview', { ticket, url, title });
  next = page = url;
  ticket = undefined;
};

// Count the page, unless it was or may not be, and send what waits.
const view = call => {
  if (!allowed()) return;
  if (call?.persisted) page = 0; // came back out of the back/forward cache: seen again
  if (landing && landing != address()) see(landing);
  landing = 0;
  if (address() != page) see(address(), document.title);
  queueMicrotask(flush);
};

// What is called as corong.id() or corong('id'); the second also before the script is there.
const api = {
  __proto__: null,
  id: () => allowed() && visitor(),
  reset: () => {
    wipe('corong.id');
    api.id();
  },
  forget: () => {
    wipe('corong.');
    page = 0;
  },
  consent: yes => {
    if (!yes) api.forget();
    put('corong.consent', +!!yes);
    view();
  },
};

// What pages call: note an event, or do what the word says.
const corong = (event, attributes) =>
  api[event] ? api[event](attributes) : track(event, attributes);
