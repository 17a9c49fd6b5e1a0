/* Who is here at this moment. */
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Live, Site } from "../api-types";
import { formatDuration, formatRate } from "../format";
import { text } from "../text";

const POLL_MS = 10_000;

export function HereNow({ site }: { site: Site }) {
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const ask = () => {
      if (document.hidden) return;
      /* a page without this line is still a whole page */
      api.live(site.name, { limit: 1 }, controller.signal).then(
        (answer) => setLive(answer),
        () => setLive(null),
      );
    };
    ask();
    const timer = window.setInterval(ask, POLL_MS);
    return () => {
      controller.abort();
      window.clearInterval(timer);
    };
  }, [site.name]);
  if (live === null) return null;
  const age = live.newest === null ? null : Date.parse(live.as_of) - Date.parse(live.newest);
  return (
    <p class="here-now">
      <span class="live-dot" aria-hidden="true" />{" "}
      {text.overview.here(live.visitors, formatRate(live.events_per_minute), age === null ? "" : formatDuration(Math.max(1000, age)))}
    </p>
  );
}
