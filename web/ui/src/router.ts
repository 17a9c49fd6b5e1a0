/* Which screen an address means, and how screens change without loading the page again. */
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { screen: "sites" }
  | { screen: "setup"; token: string }
  /* whose token is the address's fragment: no server ever sees it in an address */
  | { screen: "invite" }
  | { screen: "share" }
  | { screen: "account" }
  /* one of screens.ts, "" the first of them; `rest` is what follows in the address */
  | { screen: "site"; site: string; path: string; rest: string[]; query: string }
  | { screen: "unknown" };

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export function parseRoute(pathname: string, search: string): Route {
  const parts = pathname.split("/").filter((part) => part !== "");
  const names = parts.map(decode);
  if (names.includes(null)) return { screen: "unknown" };
  const [first, site, path, ...rest] = names as string[];

  if (first === undefined) return { screen: "sites" };
  if (first === "setup" && parts.length === 1)
    return { screen: "setup", token: new URLSearchParams(search).get("token") ?? "" };
  if ((first === "invite" || first === "share" || first === "account") && parts.length === 1)
    return { screen: first };
  if (first !== "sites") return { screen: "unknown" };
  if (site === undefined) return { screen: "sites" };
  return { screen: "site", site, path: path ?? "", rest, query: search };
}

const at = encodeURIComponent;

export const link = {
  sites: () => "/",
  account: () => "/account",
  site: (site: string) => `/sites/${at(site)}`,
  /* a screen of the site by its path in screens.ts, and what follows in the address */
  screen: (site: string, path: string, ...rest: string[]) =>
    `/sites/${[site, path, ...rest].map(at).join("/")}`,
  funnels: (site: string) => `/sites/${at(site)}/funnels`,
  newFunnel: (site: string, template: string) => `/sites/${at(site)}/funnels?new=${at(template)}`,
  report: (site: string, funnel: string) => `/sites/${at(site)}/funnels/${at(funnel)}`,
  /* "" for the site's own settings, else one of the pages about who may do what */
  settings: (site: string, page: string) => `/sites/${at(site)}/settings${page === "" ? "" : `/${page}`}`,
  editor: (site: string, funnel: string) => `/sites/${at(site)}/funnels/${at(funnel)}/edit`,
};

const CHANGED = "corong:navigated";

/* Called instead of going to another screen while it stands; what it is given goes there after all. */
type Guard = (leave: () => void) => void;
let guard: Guard | null = null;
let guarded = "";

/* A page with unsaved changes stands in the way of leaving it; null: no longer. */
export function guardLeaving(next: Guard | null): void {
  guard = next;
  guarded = window.location.pathname + window.location.search;
}

function isHeld(address: string, leave: () => void): boolean {
  if (guard === null || address === guarded) return false;
  guard(() => {
    guard = null;
    leave();
  });
  return true;
}

/* Goes to an address of this application; `replace` leaves no step for the back button. */
export function navigate(url: string, { replace = false } = {}): void {
  const before = window.location.pathname;
  const { pathname, search } = new URL(url, window.location.href);
  if (isHeld(pathname + search, () => navigate(url, { replace }))) return;
  if (replace) window.history.replaceState(null, "", url);
  else window.history.pushState(null, "", url);
  window.dispatchEvent(new Event(CHANGED));
  if (window.location.pathname !== before) window.scrollTo(0, 0);
  else if (window.location.hash !== "") window.requestAnimationFrame(() => showPlace(window.location.hash.slice(1)));
}

/* Brings a place of the page into sight where it is not. */
function showPlace(id: string): void {
  const place = document.getElementById(id);
  if (place === null) return;
  const { top } = place.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight * 0.55) place.scrollIntoView({ block: "start" });
}

/* A left click without a modifier on a link of ours changes the screen in place; everything else
 * (new tab, download, another host, a place on the same page) stays the browser's. */
function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = event.target instanceof Element ? event.target.closest("a") : null;
  if (!(target instanceof HTMLAnchorElement) || target.target !== "" || target.download !== "")
    return;
  const url = new URL(target.href);
  if (url.origin !== window.location.origin) return;
  const here = window.location;
  if (url.hash !== "" && url.pathname === here.pathname && url.search === here.search) return;
  event.preventDefault();
  navigate(url.pathname + url.search + url.hash);
}

/* What stands behind # in the address. */
export function useFragment(): string {
  const read = () => window.location.hash.slice(1);
  const [fragment, setFragment] = useState(read);
  useEffect(() => {
    const update = () => setFragment(read());
    window.addEventListener("hashchange", update);
    return () => window.removeEventListener("hashchange", update);
  }, []);
  return fragment;
}

export function useRoute(): Route {
  const read = () => parseRoute(window.location.pathname, window.location.search);
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const update = () => {
      const { pathname, search, hash } = window.location;
      /* the browser has gone back already: it comes here again, and asks */
      if (isHeld(pathname + search, () => navigate(pathname + search + hash))) {
        window.history.pushState(null, "", guarded);
        return;
      }
      const next = read();
      setRoute((old) => (JSON.stringify(old) === JSON.stringify(next) ? old : next));
    };
    window.addEventListener("popstate", update);
    window.addEventListener(CHANGED, update);
    document.addEventListener("click", onClick);
    return () => {
      window.removeEventListener("popstate", update);
      window.removeEventListener(CHANGED, update);
      document.removeEventListener("click", onClick);
    };
  }, []);
  return route;
}
