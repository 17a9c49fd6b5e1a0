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
 *   corong.id                                <visitor id>.<epoch ms when it was made>
 *   corong.set                               <JSON: properties of every event to come>
 *   corong.consent                           1 or 0, where somebody was asked
 *   corong.seen                              see extras.js
 *   corong.<site>.<epoch ms>.<visitor>.<id>  <epoch ms of the last try><the event's JSON>
 *   corong-mode                              off: this browser is the site's own people's
 *
 * Where storage is blocked, all of this lives in an object for as long as the page does.
 */
const script = document.currentScript;
const stub = window.corong || {};
if (stub.consent) return; // a second tag

const ID_LIFE_MS = 393 * 864e5; // the shortest 13 months there are
const QUEUE_LIFE_MS = 864e5; // a day
const QUEUE_MAX = 100;
const RETRY_MS = 5e3; // an earlier page's send may still be on its way: leave it that long
const TIMER_MS = 3e4;
const STAMP = 13; // digits of epoch ms, until the year 2286
const BEACON_CHARS = 15e3; // browsers let 64 KiB of keepalive bodies be under way together

const { site, consent, respect } = script.dataset;
const endpoint = new URL('e', script.src).href; // beside the script, also behind a proxy's path
const mine = 'corong.' + site + '.';
const flying = {}; // keys of events that this page is sending
let box = {};
let page; // the address that was counted last
let referrer; // where somebody came to it from
let next = document.referrer; // the next page's

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

const keysOf = stem => Object.keys(box).filter(key => key.startsWith(stem));
const drop = keys => keys.forEach(key => delete box[key]);

const listen = (types, f) => types.split(' ').forEach(type => addEventListener(type, f, true));

const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte =>
    (byte + 256).toString(16).slice(1)
  ).join('');

// Events of one millisecond are told apart, and ordered, by their ids.
const series = random().slice(6);
let serial = 1e5;

// The fragment says where on the page, or holds secrets; only in #/ and #! it names a page.
const address = () => location.href.replace(/#(?![/!]).*/, '');

let landing = address(); // until it is counted: whoever consents late may be elsewhere by then

const visitor = () => {
  let [id, since] = (box['corong.id'] || '').split('.');
  if (!(Date.now() - since < ID_LIFE_MS)) {
    id = random();
    put('corong.id', id + '.' + Date.now());
  }
  return id;
};

// Whether anything may be stored or sent. Asked each time: another tab may have the answer.
let allowed = () =>
  !(/gpc/.test(respect) && navigator.globalPrivacyControl) &&
  !(/dnt/.test(respect) && navigator.doNotTrack == 1) &&
  (box['corong.consent'] || consent != 'required') == 1;

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
  const queue = keysOf(mine).sort(); // by time
  const beacons = {};
  let size = 0;

  queue.forEach((key, i) => {
    const [, , time, id] = key.split('.');
    if (now - time > QUEUE_LIFE_MS || i < queue.length - QUEUE_MAX) return drop([key]);
    if (flying[key] || Math.abs(now - box[key].slice(0, STAMP)) < age) return;
    // A beacon is of one visitor, and small.
    size += box[key].length;
    (beacons[[id, (size / BEACON_CHARS) | 0]] ||= []).push(key);
  });
  Object.values(beacons).forEach(send);
};

const retry = () => flush(RETRY_MS);

// The last word on what is noted (extras.js has one); null: nothing is.
let amend = noted => noted;

// Write an event into the queue.
const note = (time, event, { items, ...attributes } = {}) => {
  const id = series + serial++;
  const { order, currency } = attributes;
  const noted = amend({
    event,
    id,
    time,
    url: address(),
    referrer,
    language: navigator.language,
    ...attributes,
  });
  // never tried: 13 digits, long ago
  if (noted) put([mine + time, visitor(), id].join('.'), 1e12 + JSON.stringify(noted));
  // ids by the order: a receipt that is opened again counts once
  if (order)
    items?.forEach((item, i) => note(time, 'item', { id: order + '/' + i, order, currency, ...item }));
};

// Note an event, or do what the word says. What one task of the page notes goes in one beacon,
// before the page can leave, with whatever else waits.
const track = (event, attributes) => {
  if (api[event]) return api[event](attributes);
  if (!allowed()) return;
  try {
    note(Date.now(), event, attributes);
  } catch (e) {
    console.error(e); // attributes that are no JSON, a hook that fails: the page must not suffer
  }
  queueMicrotask(retry);
};

let see = (url, title) => {
  referrer = next;
  track('pageview', { url, title });
  next = page = url;
};

// Count the page, unless it was or may not be.
const view = () => {
  if (!allowed()) return;
  if (landing && landing != address()) see(landing);
  landing = 0;
  if (address() != page) see(address(), document.title);
};

// What is called as corong.id() or corong('id'); the second also before the script is there.
const api = {
  __proto__: null,
  id: () => allowed() && visitor(),
  reset: () => drop(['corong.id', 'corong.set', 'corong.seen']),
  forget: () => {
    drop(keysOf('corong.'));
    page = 0;
  },
  consent: yes => {
    if (!yes) api.forget();
    put('corong.consent', yes ? 1 : 0);
    view();
  },
};
