import { api } from "../api";
import type { Site } from "../api-types";
import { Await } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { words } from "../words/editor";
import { FunnelForm } from "./FunnelForm";
import { loadNames } from "./names";

export function EditorPage({ site, funnel, query }: { site: Site; funnel: string; query: string }) {
  const title = words.editTitle(funnel);
  useTitle(title);
  const loaded = useLoaded(
    async (signal) => {
      const [saved, names] = await Promise.all([api.funnel(site.name, funnel, signal), loadNames(site, signal)]);
      return { saved, names };
    },
    `${site.name}/${funnel}`,
  );
  return (
    <>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <Await loaded={loaded}>
        {({ saved, names }) => (
          <FunnelForm
            site={site}
            {...names}
            query={query}
            initial={{ ...saved.definition, name: saved.name }}
            saved={saved}
          />
        )}
      </Await>
    </>
  );
}
