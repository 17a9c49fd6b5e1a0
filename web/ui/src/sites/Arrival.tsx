/* A site that waits for its first event: the snippet to paste, and a page that notices. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Site } from "../api-types";
import { CopyBox } from "../parts/basic";
import { text } from "../text";

const WAIT_MS = 2000;

/* The site as it is now; asked again every two seconds until its first event has come. */
export function useArrival(site: Site): Site {
  const [current, setCurrent] = useState(site);
  const isWaiting = current.events === 0;
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = window.setInterval(() => {
      if (document.hidden) return;
      api.sites().then(
        (sites) => {
          const found = sites.find((candidate) => candidate.name === site.name);
          if (found !== undefined && found.events > 0) setCurrent(found);
        },
        () => undefined,
      );
    }, WAIT_MS);
    return () => window.clearInterval(timer);
  }, [site.name, isWaiting]);
  return current;
}

export function Arrival({ site }: { site: Site }) {
  const words = text.site;
  return (
    <section class="panel stack">
      <h2>
        <span class="live-dot" aria-hidden="true" /> {words.waiting}
      </h2>
      <p>{words.waitingLead}</p>
      <CopyBox label={words.showSnippet} value={site.snippet} rows={3} />
    </section>
  );
}
