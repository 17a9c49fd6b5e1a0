// A page for the snippet to run in, small enough to read: one storage that outlives pages, one
// collector whose answers the test chooses, a clock that the test moves.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { files } from '../parts.mjs';

export const SITE = 'site_AAAAAAAAAAAAAAAAAAAAAA';
const text = {};
for (const [name, { source }] of Object.entries(files)) {
  text[name] = source;
  text['dist/' + name] = readFileSync(new URL('../dist/' + name, import.meta.url), 'utf8');
}
export const full = ['corong.js', 'dist/corong.js'];
export const builds = [...full, 'corong-core.js', 'dist/corong-core.js'];

// As in browsers: assigned properties are kept as text, and are what Object.keys lists.
export function storage({ capacity = Infinity } = {}) {
  return new Proxy(
    {},
    {
      set(target, key, value) {
        if (!(key in target) && Object.keys(target).length >= capacity)
          throw new Error('QuotaExceededError');
        target[key] = String(value);
        return true;
      },
    }
  );
}

// The cookies of one domain. Scripts only take out of it what they name with its domain.
export class Jar {
  constructor(domain = 'shop.example') {
    this.domain = domain;
    this.values = {};
  }
  get text() {
    return Object.entries(this.values)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
  }
  set(text) {
    const [, name, rest] = /^(\w+)=;(.*)$/.exec(text);
    const attributes = rest.split(';').sort();
    if (`${attributes}` == `domain=${this.domain},max-age=0,path=/`) delete this.values[name];
  }
}

// Answers 204 unless told otherwise; beacons are what it was sent. With setsCookie it does what the
// collector of one's own domain does.
export class Collector {
  beacons = [];
  answer = () => 204;
  setsCookie = false;

  async take(url, body, jar) {
    const beacon = JSON.parse(body);
    this.beacons.push({ url, ...beacon, bytes: body.length, credentials: !!jar });
    const status = await this.answer(beacon);
    if (jar && this.setsCookie) jar.values.corong = beacon.visitor;
    if (!status) throw new TypeError('Failed to fetch');
    return { ok: status >= 200 && status < 300, status };
  }
  get events() {
    return this.beacons.flatMap(beacon => beacon.events);
  }
  // Events of one millisecond travel in any order: names come sorted.
  get names() {
    return this.events.map(event => event.event).sort();
  }
}

export class Clock {
  ms = Date.UTC(2026, 5, 1, 12);
}

// Open a page and run the snippet in it. Returns what a test wants to touch.
export function open({
  build = 'corong.js',
  url = 'https://shop.example/',
  referrer = '',
  local = storage(),
  collector = new Collector(),
  clock = new Clock(),
  prerendering = false,
  data = {},
  signals = {},
  jar = new Jar(),
  load_ms = 0,
  before = '',
} = {}) {
  const listeners = {};
  const timers = [];
  const errors = [];
  const listen = (name, f) => (listeners[name] ||= []).push(f);
  const location = {
    href: url,
    get hostname() {
      return new URL(this.href).hostname;
    },
  };
  const go = (_state, _title, next) => {
    if (next !== undefined) location.href = new URL(next, location.href).href;
  };
  const opened = clock.ms;

  const script = { src: 'https://stats.shop.example/corong.js', dataset: { site: SITE, ...data } };
  const window = {
    document: {
      currentScript: script,
      documentElement: { scrollHeight: 2000 },
      hidden: false,
      referrer,
      title: 'A page',
      prerendering,
      get cookie() {
        return jar.text;
      },
      set cookie(text) {
        jar.set(text);
      },
    },
    location,
    history: { pushState: go, replaceState: go },
    navigator: signals,
    performance: {
      now: () => clock.ms - opened,
      getEntriesByType: () => [{ duration: load_ms }],
    },
    scrollY: 0,
    innerHeight: 500,
    getSelection: () => '',
    queueMicrotask,
    Date: class extends Date {
      static now() {
        return clock.ms;
      }
    },
    URL,
    crypto: { getRandomValues: bytes => webcrypto.getRandomValues(bytes) },
    console: { error: e => errors.push(e) },
    fetch: (to, { body, method, credentials, keepalive: kept }) => {
      if (method !== 'POST' || !kept) throw new Error('not a keepalive POST');
      return collector.take(String(to), body, credentials == 'include' ? jar : undefined);
    },
    addEventListener: listen,
    setInterval: (f, ms) => timers.push({ f, ms }),
  };
  Object.defineProperty(window, 'localStorage', {
    get() {
      if (!local) throw new Error('SecurityError');
      return local;
    },
  });
  window.window = window;
  vm.createContext(window);
  if (before) vm.runInContext(before, window);
  const globals = Object.keys(window);
  vm.runInContext(text[build], window);

  return {
    window,
    local,
    jar,
    collector,
    clock,
    errors,
    script,
    // Another script of the page: corong-datalayer.js.
    run: name => vm.runInContext(text[name], window),
    newGlobals: () => Object.keys(window).filter(name => !globals.includes(name)),
    corong: (...call) => window.corong(...call),
    fire: (name, event = {}) => (listeners[name] || []).forEach(f => f(event)),
    go: next => {
      location.href = new URL(next, location.href).href;
      (listeners.popstate || []).forEach(f => f({}));
    },
    tick: () => timers.forEach(({ f }) => f()),
    runAgain: () => vm.runInContext(text[build], window),
    waiting: () => Object.keys(local || {}).filter(key => /^corong\.site_/.test(key)),
  };
}

// Let every promise that can go on go on.
export const settle = () => new Promise(resolve => setImmediate(resolve));
