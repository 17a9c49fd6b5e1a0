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
const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|zip|gz|exe|dmg|apk|mp[34])$/i;

const wants = word => RegExp(word).test(script.dataset.track);

let since = Infinity; // when somebody was last seen to be there; Infinity: nobody is
let engaged = 0; // ms that were not told yet
let depth = 0; // the lowest pixel that was in view
let errors;
let target; // of the last click
let clicks = 0; // on it, in a row
let lastClick;

const tell = (event, properties) => track(event, { properties });

const count = () => {
  const now = performance.now();
  engaged += Math.max(0, Math.min(now - since, IDLE_MS));
  since = document.hidden ? Infinity : now;
};

const look = () => {
  count();
  depth = Math.max(depth, scrollY + innerHeight);
};

const leave = () => {
  look();
  const engaged_ms = engaged | 0;
  if (!page || engaged_ms < ENGAGED_MIN_MS) return;
  track('engage', {
    url: page,
    engaged_ms,
    scroll_pct: Math.min(100, Math.round((100 * depth) / document.documentElement.scrollHeight)),
    load_ms: load(),
  });
  engaged = 0;
};

// The load time, once, where there is one by now.
let load = () => {
  load = () => {};
  return Math.round(performance.getEntriesByType('navigation')[0]?.loadEventEnd) || undefined;
};

// corong.seen is <epoch ms of the last page> <address> <address> ..
const seePage = see;
see = (url, title) => {
  leave();
  seePage(url, title);
  engaged = depth = errors = 0;

  let [time, ...pages] = (box['corong.seen'] || '').split(' ');
  pages = Date.now() - time < VISIT_MS ? [...pages.slice(-PAGES_KEPT), url] : [url];
  put('corong.seen', [Date.now(), ...pages].join(' '));
  if (pages.filter(each => each == url).length == 3) tell('confused', { sign: 'same_page_3' });
};

const declared = element => {
  const properties = {};
  for (const { name, value } of element.attributes)
    if (/^data-corong-(?!event$)/.test(name)) properties[name.slice(12)] = value;
  tell(element.dataset.corongEvent, properties);
};

const follow = ({ host, pathname }) => {
  const link = host + pathname; // queries hold what is nobody's business
  if (!host) return; // mailto:, tel:
  if (wants('downloads') && FILE.test(pathname)) tell('download', { link });
  else if (wants('outbound') && host != location.host) tell('outbound', { link });
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
  if (button > 1 || !target.closest) return;
  const element = target.closest('[data-corong-event]');
  const link = target.closest('a[href]');
  const isSubmit = type == 'submit';
  // A form is declared to be told when it is sent, not when somebody clicks in it.
  if (element && (element.tagName == 'FORM') == isSubmit) declared(element);
  if (isSubmit) {
    // A form's own fields hide its properties: form.id may be one.
    if (wants('forms'))
      tell('form', { form: target.getAttribute('id') || target.getAttribute('name') });
  } else {
    if (link) follow(link);
    rage(target, timeStamp);
  }
};

const fail = ({ message, filename: source, lineno: line, reason }) => {
  const text = message || reason?.message || reason; // none: a picture that is not there
  if (text && errors++ < ERRORS_MAX)
    tell('error', { message: `${text}`.slice(0, MESSAGE_CHARS), source, line });
};

listen('pointermove pointerdown keydown', count);
listen('scroll', look);
listen('pagehide visibilitychange', leave);
listen('click auxclick submit', act);
listen('error unhandledrejection', fail);

const kept = () => JSON.parse(box['corong.set'] || '{}');
amend = noted => {
  if (box['corong.set']) noted.properties = { ...kept(), ...noted.properties };
  return track.beforeSend ? track.beforeSend(noted) : noted;
};

// Properties of every event to come, on this and on later pages.
api.set = properties =>
  allowed() && put('corong.set', JSON.stringify({ ...kept(), ...properties }));

// The visitor's id as a number of up to ten digits, to be read out on the phone: its first 8 hex
// digits.
api.code = () => api.id() && parseInt(visitor().slice(0, 8), 16);

// ?corong=off is for the site's own people. It holds in this browser until ?corong=on.
const mode = /[?&]corong=(off|on)\b/.exec(location.href)?.[1];
if (mode) {
  api.forget();
  put('corong-mode', mode);
}
if (box['corong-mode'] == 'off') allowed = () => 0;
