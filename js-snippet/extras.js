/* What a page tells by itself: how long it was used and how far it was read, declared clicks,
 * errors, signs of confusion, and by setting (data-track) outbound links, downloads and forms.
 *
 * Engaged is the time in which the page was in view and somebody had moved, pressed, typed or
 * scrolled within the last 30 s; coming (back) to a page is such a sign. It goes out as an `engage`
 * event when the page is left or hidden; after that, only the time since.
 */
const IDLE_MS = 3e4;
const ENGAGED_MIN_MS = 100; // less waits for the next leaving
const RAGE_CLICKS = 3;
const RAGE_MS = 500; // from one to the next
const VISIT_MS = 18e5; // a pause that ends a visit
const PAGES_KEPT = 30; // of a visit
const ERRORS_MAX = 5; // a page
const MESSAGE_CHARS = 200;

let since; // when somebody was last seen to be there; undefined: nobody is
let engaged; // ms that were not told yet; this and the next two from 0 on each page
let depth; // the lowest pixel that was in view
let errors;
let told = 0; // engage events
let target; // of the last click
let clicks; // on it, in a row
let lastClick;

const tell = (event, properties) => track(event, { properties });

// Where the tag asks for it: "download" is asked for by "downloads".
const offer = (event, properties) => {
  if (RegExp(event).test(script.dataset.track)) tell(event, properties);
};

const look = () => {
  const now = performance.now() | 0;
  engaged += Math.min(now - since, IDLE_MS) || 0;
  since = document.hidden ? undefined : now;
  depth = Math.max(depth, scrollY + innerHeight);
};

const leave = () => {
  look();
  if (!page || engaged < ENGAGED_MIN_MS) return;
  track('engage', {
    engaged_ms: engaged,
    url: page,
    scroll_pct: Math.min(100, Math.round((100 * depth) / document.documentElement.scrollHeight)),
    // of the one entry there is: told once
    load_ms: performance.getEntriesByType('navigation')[told++]?.duration | 0 || undefined,
  });
  engaged = 0;
};

// corong.id.seen is <epoch ms of the last page> <address> <address> ..
const seePage = see;
see = (url, title) => {
  leave();
  seePage(url, title);
  engaged = depth = errors = 0;

  let [time, ...pages] = (box['corong.id.seen'] || '').split(' ');
  pages = Date.now() - time < VISIT_MS ? [...pages.slice(-PAGES_KEPT), url] : [url];
  put('corong.id.seen', [Date.now(), ...pages].join(' '));
  if (pages.filter(each => each == url).length == 3) tell('confused', { sign: 'same_page_3' });
};

const rage = (element, now) => {
  clicks = element == target && now - lastClick < RAGE_MS ? clicks + 1 : 1;
  target = element;
  lastClick = now;
  // Three clicks also select a paragraph: that is reading.
  if (clicks == RAGE_CLICKS && !`${getSelection()}`)
    tell('confused', { sign: 'rage_click', on: element.id || element.tagName });
};

const act = ({ type, target, button, timeStamp }) => {
  if (button > 1) return;
  const element = target.closest?.('[data-corong-event]');
  const isSubmit = type == 'submit';
  // A form is declared to be told when it is sent, not when somebody clicks in it.
  if (element && (element.tagName == 'FORM') == isSubmit) {
    const properties = {};
    for (const { name, value } of element.attributes)
      if (/^data-corong-(?!event$)/.test(name)) properties[name.slice(12)] = value;
    tell(element.dataset.corongEvent, properties);
  }
  if (isSubmit) {
    // A form's own fields hide its properties: form.id may be one.
    offer('form', { form: target.getAttribute('id') || target.getAttribute('name') });
  } else {
    const { host, pathname } = target.closest?.('a[href]') || {};
    // No host: no link, or mailto:. The query is left out: it holds what is nobody's business.
    if (host) {
      if (/\.(pdf|(doc|xls|ppt)x?|csv|zip|gz|exe|dmg|apk|mp[34])$/i.test(pathname))
        offer('download', { link: host + pathname });
      if (host != location.host) offer('outbound', { link: host + pathname });
    }
    rage(target, timeStamp);
  }
};

const fail = ({ message, filename: source, lineno: line, reason }) => {
  const text = message || reason; // none: a picture that is not there
  if (text && errors++ < ERRORS_MAX)
    tell('error', { source, line, message: `${text}`.slice(0, MESSAGE_CHARS) });
};

listen('pointermove pointerdown keydown scroll', look);
listen('pagehide visibilitychange', leave);
listen('click auxclick submit', act);
listen('error unhandledrejection', fail);

const kept = () => JSON.parse(box['corong.id.set'] || '{}');
amend = noted => {
  if (box['corong.id.set']) noted.properties = { ...kept(), ...noted.properties };
  return corong.beforeSend ? corong.beforeSend(noted) : noted;
};

// Properties of every event to come, on this and on later pages.
api.set = properties =>
  allowed() && put('corong.id.set', JSON.stringify({ ...kept(), ...properties }));

// The site knows this visitor by an id of its own. It never changes the browser's.
api.identify = known => known && track('identify', { known });

// What is read out on the phone: the first ten digits of the visitor's id.
api.code = () => allowed() && visitor().slice(STAMP, 23);

// ?corong=off is for the site's own people. It holds in this browser until ?corong=on.
const [, mode] = /\bcorong=(off|on)\b/.exec(location.href) || [];
if (mode) {
  api.forget();
  put('corong-mode', mode);
}
if (box['corong-mode'] == 'off') allowed = () => 0;
