/* All sites, and adding one. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { CreatedSite, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await, CopyBox, Notice } from "../parts/basic";
import { useLoaded, useTitle } from "../parts/hooks";
import { link } from "../router";
import { text } from "../text";
import { AddSite } from "./AddSite";

export function SitesPage() {
  useTitle(text.sites.title);
  const [round, setRound] = useState(0);
  const [isAdding, setAdding] = useState(false);
  const [created, setCreated] = useState<CreatedSite | null>(null);
  const loaded = useLoaded((signal) => api.sites(signal), String(round));
  const onCreated = (site: CreatedSite) => {
    setCreated(site);
    setAdding(false);
    setRound((count) => count + 1);
  };
  return (
    <>
      <header class="page-head">
        <div>
          <h1>{text.sites.title}</h1>
          <p class="lead">{text.sites.lead}</p>
        </div>
        {!isAdding && (
          <div class="page-actions">
            <button type="button" class="button is-primary" onClick={() => setAdding(true)}>
              {text.sites.add}
            </button>
          </div>
        )}
      </header>
      {created !== null && <Created site={created} />}
      {isAdding && <AddSite onCreated={onCreated} onCancel={() => setAdding(false)} />}
      <Await loaded={loaded}>
        {(sites) =>
          sites.length === 0 ? (
            !isAdding && <p class="empty">{text.sites.none}</p>
          ) : (
            <ul class="rows">
              {sites.map((site) => (
                <SiteRow key={site.name} site={site} />
              ))}
            </ul>
          )
        }
      </Await>
    </>
  );
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

/* The only time that the secret key is shown. */
function Created({ site }: { site: CreatedSite }) {
  const words = text.sites;
  return (
    <section class="panel stack" aria-labelledby="created-title">
      <h2 id="created-title">{words.created(site.name)}</h2>
      <p>{words.createdLead}</p>
      <CopyBox label={words.snippet} value={site.snippet} rows={3} />
      <CopyBox label={words.secretKey} value={site.secret_key} />
      <Notice kind="info">{words.secretOnce}</Notice>
      <p>
        <a class="button is-primary" href={link.site(site.name)}>
          {words.continue}
        </a>
      </p>
    </section>
  );
}
