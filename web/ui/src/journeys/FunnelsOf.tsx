/* Which of the site's funnels count a visitor, and how far he got in each. */
import { api } from "../api";
import type { SavedFunnel, Site } from "../api-types";
import { messageOf, useLoaded } from "../parts/hooks";
import { link } from "../router";
import { text } from "../text";
import { words } from "../words/journeys";
import { depthOf } from "./sessions";

interface Props {
  site: Site;
  visitor: string;
  funnels: SavedFunnel[];
}

export function FunnelsOf({ site, visitor, funnels }: Props) {
  return (
    <section class="panel counts" aria-labelledby="counts-title">
      <h2 id="counts-title">{words.counts}</h2>
      {funnels.length === 0 ? (
        <p class="hint">{words.noFunnels}</p>
      ) : (
        <ul>
          {funnels.map((funnel) => (
            <OneFunnel key={funnel.name} site={site} visitor={visitor} funnel={funnel} />
          ))}
        </ul>
      )}
    </section>
  );
}

function OneFunnel({ site, visitor, funnel }: { site: Site; visitor: string; funnel: SavedFunnel }) {
  const { stages } = funnel.definition;
  const loaded = useLoaded(
    (signal) => api.journey(site.name, { visitor, funnel: funnel.name, limit: 1 }, signal),
    `${visitor}/${funnel.name}`,
  );
  const answer = () => {
    if (loaded.state === "loading") return text.common.loading;
    if (loaded.state === "failed") return messageOf(loaded.error);
    const depth = depthOf(loaded.value.paths);
    if (depth === 0) return words.notCounted;
    return depth === stages.length ? words.done : words.gotTo(depth, stages.length);
  };
  const depths = loaded.state === "ready" ? (loaded.value.paths ?? []) : [];
  const visited = new Set(depths.flatMap(({ path }) => path.map(([stage]) => stage)));
  return (
    <li>
      <a href={link.report(site.name, funnel.name)}>{funnel.name}</a>
      <p class="hint">{answer()}</p>
      {visited.size > 0 && (
        <ol class="count-marks">
          {stages.map((stage, index) => (
            <li key={index} class={visited.has(index + 1) ? "" : "is-skipped"}>
              <span class={visited.has(index + 1) ? "mark is-counted" : "mark"} aria-hidden="true">
                {index + 1}
              </span>
              {stage.name}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}
