/** What corong.js gives a page. Copy this file into a site's types: nothing is imported from it. */

/** What an event may carry: the attributes of an event (docs/funnel.md, section 4). */
interface CorongAttributes {
  order?: string | number;
  /** In units of the currency: 12.5 is twelve and a half. Text keeps every digit. */
  value?: number | string;
  /** Three letters, as in "USD"; the site's own where there is none. */
  currency?: string;
  product?: string;
  category?: string;
  quantity?: number | string;
  title?: string;
  /** Up to 30 of them. */
  properties?: Record<string, string | number | boolean | null | undefined>;
  /** An id of your own: of a visitor's events with one id, one counts. */
  id?: string;
}

interface CorongItem {
  product?: string;
  category?: string;
  quantity?: number | string;
  /** Of the whole line, not of one piece. It is never added to the sale's. */
  value?: number | string;
  properties?: CorongAttributes['properties'];
}

interface CorongSale extends CorongAttributes {
  /** What makes it one sale, however often it is told. */
  order: string | number;
  items?: CorongItem[];
}

/** An event as it is about to be noted; see beforeSend. */
interface CorongNoted extends CorongAttributes {
  event: string;
  id: string;
  /** ms since the epoch, by this browser's clock. */
  time: number;
  url: string;
  referrer?: string;
  /** Of the link that led here from another domain of yours; not stored. */
  ticket?: string;
  engaged_ms?: number;
  scroll_pct?: number;
  load_ms?: number;
}

interface Corong {
  /** Note that something happened, now, on this page. */
  (event: 'sale', attributes: CorongSale): void;
  (event: string, attributes?: CorongAttributes): void;
  /** The same as the functions below. Unlike these, it may be called before the script is there. */
  (word: 'consent', given: boolean): void;
  (word: 'forget' | 'reset'): void;
  (word: 'set', properties: NonNullable<CorongAttributes['properties']>): void;
  (word: 'identify', known: string | number): void;

  /** The visitor's id, for your own server's events; false where nothing may be stored. */
  id(): string | false;
  /** true: go on, here and on later pages, and count this one. false: forget(), and remember that. */
  consent(given: boolean): void;
  /** Delete all that is stored in this browser, with what was not sent yet. */
  forget(): void;
  /** Somebody else sits here now (a logout): later events are a new visitor's. */
  reset(): void;

  /* Not in corong-core.js: */

  /** Your site knows this visitor by an id of its own: after a login, on each page if you like. */
  identify?(known: string | number | null | undefined): void;
  /** Up to ten digits that stand for this visitor on the phone. */
  code?(): string | false;
  /** Properties that every later event carries, on later pages too; undefined takes one away. */
  set?(properties: NonNullable<CorongAttributes['properties']>): void;
  /** Change an event, or withhold it with null. Set it before the script is there. */
  beforeSend?(event: CorongNoted): CorongNoted | null;
}

interface Window {
  corong: Corong;
}
declare const corong: Corong;
