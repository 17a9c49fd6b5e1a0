/* Taken, left out, refused: how many events of the last days, and why. */
import type { Health, HealthDay } from "../api-types";
import { formatCount } from "../format";
import { link } from "../router";
import { words } from "../words/health";
import { reasonsOf, spansOf, todayOf } from "./counts";

const said = words.leftOut;

export function LeftOut({ site, health }: { site: string; health: Health }) {
  return (
    <section class="panel" aria-labelledby="left-out-title">
      <h2 id="left-out-title">{said.title}</h2>
      {health.days === null ? (
        <p>{said.noRedis}</p>
      ) : health.days.length === 0 ? (
        <p>
          <strong>{said.none}</strong> {said.noneHint}{" "}
          <a href={link.screen(site, "settings")}>{said.settings}</a>
        </p>
      ) : (
        <OfSite days={health.days} today={todayOf(health.timezone, health.as_of)} />
      )}
      <p class="hint">{said.ownTraffic}</p>
      {health.installation.days !== null && health.installation.days.length > 0 && (
        <details>
          <summary>{said.installation}</summary>
          <p class="hint">{said.installationHint}</p>
          <OfInstallation days={health.installation.days} today={todayOf("UTC", health.as_of)} />
        </details>
      )}
    </section>
  );
}

interface Days {
  days: HealthDay[];
  today: string;
}

function OfSite({ days, today }: Days) {
  return (
    <Table caption={said.caption}>
      <Row days={days} today={today} name={said.accepted} of={(day) => day.accepted} />
      <Row days={days} today={today} name={said.bots} of={(day) => day.bots} isPart />
      <Row days={days} today={today} name={said.late} of={(day) => day.late} isPart />
      <Refused days={days} today={today} />
    </Table>
  );
}

function OfInstallation({ days, today }: Days) {
  return (
    <Table caption={said.installation}>
      <Row days={days} today={today} name={said.repeats} of={(day) => day.repeats} />
      <Refused days={days} today={today} />
    </Table>
  );
}

function Refused({ days, today }: Days) {
  return (
    <>
      {reasonsOf(days).map((reason) => (
        <Row
          key={reason}
          days={days}
          today={today}
          name={words.reasons[reason] ?? [reason, ""]}
          of={(day) => day.refused[reason] ?? 0}
        />
      ))}
    </>
  );
}

function Table({ caption, children }: { caption: string; children: preact.ComponentChildren }) {
  const { columns } = said;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="health-table">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.what}</th>
            <th scope="col">{columns.today}</th>
            <th scope="col">{columns.week}</th>
            <th scope="col">{columns.month}</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface RowProps extends Days {
  name: string[];
  of: (day: HealthDay) => number;
  isPart?: boolean;
}

function Row({ days, today, name: [name = "", explains = ""], of, isPart = false }: RowProps) {
  const spans = spansOf(days, today, of);
  return (
    <tr>
      <th scope="row" class={isPart ? "is-part" : undefined}>
        {name}
        {explains !== "" && <span class="hint">{explains}</span>}
      </th>
      <td>{formatCount(spans.today)}</td>
      <td>{formatCount(spans.week)}</td>
      <td>{formatCount(spans.month)}</td>
    </tr>
  );
}
