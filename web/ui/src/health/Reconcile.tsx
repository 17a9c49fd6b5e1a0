/* What the shop received and what a funnel counts of it, as rows that add up; orders that two
 * visitors told of. */
import type { ComponentChildren } from "preact";
import { api } from "../api";
import type { ExportFormat, Reconciliation, SalesSum, SavedFunnel, SharedOrder, Site } from "../api-types";
import { askedOf } from "../ask/question";
import { useAnswer } from "../ask/useAnswer";
import type { AskedHere } from "../ask/useAsked";
import { formatCount, formatMoney, negated } from "../format";
import { shortId } from "../journeys/sessions";
import { Amounts } from "../parts/Amounts";
import { Failed, Loading } from "../parts/basic";
import { FunnelPicker } from "../parts/FunnelPicker";
import { SaveTable } from "../parts/SaveTable";
import { link } from "../router";
import { text } from "../text";
import { words } from "../words/health";

const said = words.reconcile;

interface Props {
  site: Site;
  here: AskedHere;
  funnel: SavedFunnel;
  funnels: SavedFunnel[];
  choose: (name: string) => void;
}

export function Reconcile({ site, here, funnel, funnels, choose }: Props) {
  const asked = askedOf({ ...here.question, compare: { kind: "none" } }, here.today);
  const { value, error, isWaiting, retry } = useAnswer<Reconciliation>(
    JSON.stringify([site.name, funnel.definition, asked]),
    (query_id, signal) => api.reconcile(site.name, { funnel: funnel.definition, ...asked, query_id }, signal),
  );
  const stage = funnel.definition.stages.at(-1)?.name ?? "";
  const file = (table: string) => [site.name, funnel.name, table, here.today];
  const take = (what: "reconcile" | "shared_orders") => (format: ExportFormat) =>
    api.exportFile(site.name, { funnel: funnel.definition, ...asked, what, format });
  return (
    <div class={isWaiting && value !== null ? "panel-pair is-waiting" : "panel-pair"} aria-busy={isWaiting}>
      <section class="panel" aria-labelledby="reconcile-title">
        <header class="panel-head">
          <h2 id="reconcile-title">{said.title}</h2>
          <FunnelPicker label={said.funnel} funnels={funnels} chosen={funnel.name} choose={choose} />
        </header>
        <p class="hint">{said.lead(funnel.name, stage)}</p>
        {value === null && (error === null ? <Loading /> : <Failed error={error} retry={retry} />)}
        {value !== null && (
          <>
            <Bridge answer={value} stage={stage} />
            <SaveTable label={said.title} file={file("reconcile")} take={take("reconcile")} />
          </>
        )}
      </section>
      {value !== null && (
        <Shared site={site} orders={value.shared_orders}>
          <SaveTable
            label={words.shared.title}
            hint={text.report.export.whole}
            file={file("shared-orders")}
            take={take("shared_orders")}
          />
        </Shared>
      )}
    </div>
  );
}

function Bridge({ answer, stage }: { answer: Reconciliation; stage: string }) {
  const { received, counted, parts } = answer;
  const shown = parts.filter(({ orders, value }) => orders !== 0 || Object.values(value).some((amount) => Number(amount) !== 0));
  if (received.orders === 0 && counted.orders === 0 && answer.refunds === 0) return <p>{said.none}</p>;
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={said.caption}>
        <table class="health-table">
          <caption class="visually-hidden">{said.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{said.columns.what}</th>
              <th scope="col">{said.columns.orders}</th>
              <th scope="col">{said.columns.value}</th>
            </tr>
          </thead>
          <tbody>
            <Sales name={said.received} sums={received} />
            {shown.map(({ part, orders, value }) => (
              <Sales
                key={part}
                name={words.parts[part] ?? [part]}
                sums={{ orders: orders === 0 ? 0 : -orders, value: negated(value) }}
                isPart
              />
            ))}
          </tbody>
          <tfoot>
            <Sales name={said.counted(stage)} sums={counted} />
          </tfoot>
        </table>
      </div>
      {shown.length === 0 && <p class="hint">{said.same}</p>}
    </>
  );
}

interface SalesProps {
  name: string[];
  sums: SalesSum;
  isPart?: boolean;
}

function Sales({ name: [name = "", explains = ""], sums, isPart = false }: SalesProps) {
  return (
    <tr>
      <th scope="row" class={isPart ? "is-part" : undefined}>
        {name}
        <span class="hint">{explains}</span>
      </th>
      <td>{formatCount(sums.orders)}</td>
      <td><Amounts of={formatMoney(sums.value)} /></td>
    </tr>
  );
}

interface SharedProps {
  site: Site;
  orders: Reconciliation["shared_orders"];
  /* under the table */
  children: ComponentChildren;
}

function Shared({ site, orders, children }: SharedProps) {
  const { shared } = words;
  return (
    <section class="panel" aria-labelledby="shared-title">
      <h2 id="shared-title">{shared.title}</h2>
      <p>{orders.n === 0 ? shared.none : shared.lead(orders.n, orders.counted_twice)}</p>
      {orders.n > 0 && (
        <>
          <div class="table-scroll" tabIndex={0} role="region" aria-label={shared.caption}>
            <table class="health-table">
              <caption class="visually-hidden">{shared.caption}</caption>
              <thead>
                <tr>
                  <th scope="col">{shared.columns.order}</th>
                  <th scope="col">{shared.columns.visitors}</th>
                  <th scope="col">{shared.columns.events}</th>
                  <th scope="col">{shared.columns.counted}</th>
                </tr>
              </thead>
              <tbody>
                {orders.orders.map((order, index) => (
                  <Order key={index} site={site} order={order} />
                ))}
              </tbody>
            </table>
          </div>
          {orders.n > orders.orders.length && <p class="hint">{shared.more(orders.n - orders.orders.length)}</p>}
          {children}
        </>
      )}
      <p class="hint">{shared.hint}</p>
    </section>
  );
}

function Order({ site, order }: { site: Site; order: SharedOrder }) {
  const visitors = order.visitors ?? [];
  return (
    <tr>
      <th scope="row">{order.order ?? words.shared.hidden}</th>
      <td class="health-visitors">
        {order.visitors === null
          ? formatCount(order.n_visitors)
          : visitors.map((visitor) => (
              <a key={visitor} class="visitor" href={link.screen(site.name, "journeys", visitor)}>
                {shortId(visitor)}
              </a>
            ))}
        {order.visitors !== null && order.n_visitors > visitors.length && (
          <span class="hint"> {words.shared.more(order.n_visitors - visitors.length)}</span>
        )}
      </td>
      <td>{formatCount(order.events)}</td>
      <td>{formatCount(order.counted)}</td>
    </tr>
  );
}
