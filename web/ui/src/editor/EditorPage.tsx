import { api } from "../api";
import type { Site } from "../api-types";
import { Await } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { text } from "../text";
import { FunnelForm } from "./FunnelForm";

export function EditorPage({ site, funnel }: { site: Site; funnel: string }) {
  const title = text.editor.editTitle(funnel);
  useTitle(title);
  const loaded = useLoaded(
    async (signal) => {
      const [saved, attributes, all] = await Promise.all([
        api.funnel(site.name, funnel, signal),
        api.attributes(site.name),
        api.funnels(site.name, signal),
      ]);
      return { saved, attributes, taken: all.map((one) => one.name) };
    },
    `${site.name}/${funnel}`,
  );
  return (
    <>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <Await loaded={loaded}>
        {({ saved, attributes, taken }) => (
          <FunnelForm
            site={site}
            attributes={attributes}
            initial={saved.definition}
            savedAs={saved.name}
            taken={taken}
          />
        )}
      </Await>
    </>
  );
}
