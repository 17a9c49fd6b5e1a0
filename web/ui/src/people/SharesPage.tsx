/* The share links of a site, those that are over included. They are made from a report. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { Share, Site } from "../api-types";
import { addDays } from "../ask/range";
import { formatDayShort, formatMoment } from "../format";
import { Await } from "../parts/basic";
import { Confirm } from "../parts/Confirm";
import { useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { attributeName } from "../ruleWords";
import { words } from "../words/people";

const say = words.shares;

export function SharesPage({ site }: { site: Site }) {
  useTitle(`${say.title} · ${site.name}`);
  const loaded = useLoaded((signal) => api.shares(site.name, signal), site.name);
  return (
    <>
      <PageHead title={say.title} lead={say.lead} />
      <Await loaded={loaded}>{(shares) => <Shares site={site} initial={shares} />}</Await>
    </>
  );
}

function rangeWords({ days, question }: Share): string {
  const from = question.from ?? null;
  /* the last day that is in it */
  const to = typeof question.to === "string" ? addDays(question.to, -1) : null;
  if (days > 0) return say.lastDays(days);
  if (from !== null && to !== null) return say.fixed(formatDayShort(from), formatDayShort(to));
  if (from !== null) return say.since(formatDayShort(from));
  return to === null ? say.allTime : say.upTo(formatDayShort(to));
}

function showsWords(share: Share): string {
  const { funnel, filters = [], breakdown = [] } = share.question;
  return [
    typeof funnel === "string" ? funnel : funnel.name,
    rangeWords(share),
    ...(filters.length === 0 ? [] : [say.filtered(filters.length)]),
    ...breakdown.map(({ attribute }) => say.by(attributeName(attribute))),
  ].join(" · ");
}

function Shares({ site, initial }: { site: Site; initial: Share[] }) {
  const [shares, setShares] = useState(initial);
  const [note, setNote] = useState("");
  const moment = (time: string) => formatMoment(time, site.timezone);
  const revoke = async ({ id, name }: Share) => {
    await api.removeShare(site.name, id);
    setShares((old) => old.filter((one) => one.id !== id));
    setNote(say.revoked(name));
  };
  return (
    <section class="panel" aria-label={say.caption}>
      <p class="visually-hidden" role="status">
        {note}
      </p>
      {shares.length === 0 && <p class="empty">{say.none}</p>}
      <ul class="access-list">
        {shares.map((share) => {
          const isOver = share.expires !== null && Date.parse(share.expires) <= Date.now();
          return (
            <li key={share.id}>
              <span class="access-main">
                <strong>{share.name}</strong>
                {isOver && <span class="tag">{say.over}</span>}
                <span class="row-sub">{showsWords(share)}</span>
                <span class="row-sub">
                  {words.created} {words.keys.by(share.created_by, moment(share.created))} · {say.expires}:{" "}
                  {share.expires === null ? say.forGood : moment(share.expires)} · {words.lastUsed}:{" "}
                  {share.last_used === null ? say.notUsed : moment(share.last_used)}
                </span>
              </span>
              <Confirm
                label={say.revoke}
                name={say.revokeOf(share.name)}
                title={say.revokeTitle}
                yes={say.revoke}
                run={() => revoke(share)}
              >
                <p>{say.revokeLead(share.name)}</p>
              </Confirm>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
