/* What a site sends: names of events, properties, reasons of bots; and where its visits and pages are
 * from that nobody named. */
import { api } from "../api";
import type { Catalogue as CatalogueAnswer, CatalogueList, Site } from "../api-types";
import { askedOf } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import type { AskedHere } from "../ask/useAsked";
import { formatCount, formatMoment, formatShare, shareOf } from "../format";
import { Failed, Loading } from "../parts/basic";
import { SaveTable } from "../parts/SaveTable";
import { text } from "../text";
import { words } from "../words/health";
import { isForeign } from "./hosts";

const said = words.catalogue;
const HOSTS = 100;

interface Props {
  site: Site;
  here: AskedHere;
}

export function Catalogue({ site, here }: Props) {
  const { from, to } = askedOf(here.question, here.today);
  const { value, error, isWaiting, retry } = useAnswer<CatalogueAnswer>(
    JSON.stringify([site.name, from, to]),
    (query_id, signal) => api.catalogue(site.name, { from, to, query_id }, signal),
  );
  return (
    <section class="panel" aria-labelledby="catalogue-title" aria-busy={isWaiting}>
      <h2 id="catalogue-title">{said.title}</h2>
      <Unnamed site={site} here={here} isOff={value === null} />
      {value === null && (error === null ? <Loading /> : <Failed error={error} retry={retry} />)}
      {value !== null && (
        <div class={isWaiting ? "health-lists is-waiting" : "health-lists"}>
          <List title={said.events} list={value.events} site={site} />
          <List title={said.properties} list={value.properties} site={site} />
          <List title={said.bots} list={value.bots} site={site} />
        </div>
      )}
      {value !== null && (
        <SaveTable
          label={said.title}
          hint={text.report.export.whole}
          file={[site.name, "catalogue", here.today]}
          take={(format) => api.exportFile(site.name, { from, to, what: "catalogue", format })}
        />
      )}
      {value !== null && value.damaged_files > 0 && <p class="field-error">{said.damaged(value.damaged_files)}</p>}
    </section>
  );
}

/* Visits without a driver, and hosts that are not the site's. */
function Unnamed({ site, here, isOff }: Props & { isOff: boolean }) {
  const asked = askedOf({ ...here.question, compare: { kind: "none" } }, here.today);
  const key = JSON.stringify([site.name, asked]);
  const visits = useAnswer(
    key,
    (query_id, signal) => api.count(site.name, { ...asked, breakdown: [{ attribute: "channel" }], limit: 100, query_id }, signal),
    { isOff },
  );
  const hosts = useAnswer(
    key,
    (query_id, signal) => api.countValues(site.name, { ...asked, attribute: "host", limit: HOSTS, query_id }, signal),
    { isOff: isOff || visits.value === null },
  );
  const direct = visits.value?.breakdown?.find((row) => row.values?.[0] === "direct")?.sessions ?? 0;
  const all = visits.value?.sessions ?? 0;
  const foreign = (hosts.value?.values ?? []).filter(({ value }) => isForeign(value, site));
  return (
    <>
      {all > 0 && <p>{said.direct(direct, all, formatShare(shareOf(direct, all)))}</p>}
      {foreign.length > 0 && (
        <p class="field-error">{said.hosts(foreign.map(({ value, events }) => text.common.joins.aside(value, formatCount(events))).join(text.common.joins.comma))}</p>
      )}
    </>
  );
}

function List({ title, list, site }: { title: string; list: CatalogueList; site: Site }) {
  return (
    <div>
      <h3>{title}</h3>
      {list.n === 0 ? (
        <p class="hint">{said.none}</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={title}>
          <table class="health-table">
            <caption class="visually-hidden">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{said.columns.name}</th>
                <th scope="col">{said.columns.events}</th>
                <th scope="col">{said.columns.last}</th>
              </tr>
            </thead>
            <tbody>
              {list.rows.map(({ name, events, last }) => (
                <tr key={name}>
                  <th scope="row">{name === "" ? said.given : name}</th>
                  <td>{formatCount(events)}</td>
                  <td>{formatMoment(last, site.timezone)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.n > list.rows.length && <p class="hint">{said.cut(list.rows.length, list.n)}</p>}
    </div>
  );
}
