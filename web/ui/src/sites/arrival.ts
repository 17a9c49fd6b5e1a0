/* A site that waits for its first event is asked again every two seconds until it has come. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import type { Site } from "../api-types";

const WAIT_MS = 2000;

/* Tells of the site as it is when its first event is there. */
export function useFirstEvent(site: Site, onArrival: (site: Site) => void): void {
  const told = useRef(onArrival);
  told.current = onArrival;
  const isWaiting = site.events === 0;
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = window.setInterval(() => {
      if (document.hidden) return;
      api.site(site.name).then(
        (next) => (next.events > 0 ? told.current(next) : undefined),
        () => undefined,
      );
    }, WAIT_MS);
    return () => window.clearInterval(timer);
  }, [isWaiting, site.name]);
}

/* The site as it is now. */
export function useArrival(site: Site): Site {
  const [current, setCurrent] = useState(site);
  useFirstEvent(current, useCallback((next: Site) => setCurrent(next), []));
  return current;
}
