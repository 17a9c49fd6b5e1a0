/* All sites, and adding one. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { CreatedSite, Session, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { link, navigate } from "../router";
import { text } from "../text";
import { AddSite } from "./AddSite";
import { rememberSecret } from "./newSite";

export function SitesPage({ session }: { session: Session }) {
  useTitle(text.sites.title);
  const [isAdding, setAdding] = useState(false);
  const loaded = useLoaded((signal) => api.sites(signal), "");
  const canAdd = session.account?.role !== "viewer";
  return (
    <>
      <PageHead title={text.sites.title} lead={text.sites.lead}>
        {canAdd && !isAdding && loaded.state === "ready" && loaded.value.length > 0 && (
          <button type="button" class="button is-primary" onClick={() => setAdding(true)}>
            {text.sites.add}
          </button>
        )}
      </PageHead>
      <Await loaded={loaded}>
        {(sites) => (
          <>
            {sites.length === 0 && <p class="lead">{canAdd ? text.sites.none : text.sites.noneYours}</p>}
            {canAdd && (isAdding || sites.length === 0) && (
              <AddSite onCreated={begin} {...(sites.length > 0 && { onCancel: () => setAdding(false) })} />
            )}
            <ul class="rows">
              {sites.map((site) => (
                <SiteRow key={site.name} site={site} />
              ))}
            </ul>
          </>
        )}
      </Await>
    </>
  );
}

/* A new site's overview is the rest of the way: snippet, first event, first funnel. */
function begin(site: CreatedSite): void {
  rememberSecret(site.name, site.secret_key);
  navigate(link.site(site.name));
}

function SiteRow({ site }: { site: Site }) {
  const words = text.sites;
  return (
    <li>
      <a class="row" href={link.site(site.name)}>
        <span class="row-main">
          <strong>{site.name}</strong>
          {site.demo && <span class="tag">{words.demo}</span>}
          <span class="row-sub">
            {[site.domain, site.timezone, site.currency].filter((word) => word !== "").join(" · ")}
          </span>
        </span>
        <span class="row-figure">
          {site.events === 0 ? (
            <span class="row-sub">{words.noEvents}</span>
          ) : (
            <>
              <strong>{words.events(site.events)}</strong>
              {site.last_event !== null && (
                <span class="row-sub">
                  {words.lastEvent(formatMoment(site.last_event, site.timezone))}
                </span>
              )}
            </>
          )}
        </span>
      </a>
    </li>
  );
}
