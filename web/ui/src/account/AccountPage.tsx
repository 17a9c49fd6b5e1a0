/* One's own account: where one is signed in, and ending what one does not know. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { OwnSession, Session } from "../api-types";
import { formatMoment } from "../format";
import { Await, Failed } from "../parts/basic";
import { useAction, useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { words } from "../words/people";
import { agentOf } from "./agent";
import { LanguageChoice } from "./LanguageChoice";

const say = words.sessions;

export function AccountPage({ session }: { session: Session }) {
  useTitle(say.title);
  const loaded = useLoaded((signal) => api.sessions(signal), "");
  return (
    <>
      <PageHead title={say.title} lead={say.lead(session.account?.email ?? "")} />
      <section class="panel">
        <LanguageChoice />
      </section>
      <Await loaded={loaded}>{(sessions) => <Sessions initial={sessions} />}</Await>
    </>
  );
}

function agentWords(agent: string): string {
  const { browser, system } = agentOf(agent);
  if (browser === null) return agent === "" ? say.unknown : agent;
  return system === null ? browser : say.on(browser, system);
}

function Sessions({ initial }: { initial: OwnSession[] }) {
  const [sessions, setSessions] = useState(initial);
  const [note, setNote] = useState("");
  const action = useAction();
  /* the person's own clock: these are of no site */
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const moment = (time: string) => formatMoment(time, zone);
  const end = async (id: string) => {
    await api.endSession(id);
    setSessions((old) => old.filter((one) => one.id !== id));
    setNote(say.ended);
  };
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">{say.sessions}</h2>
      <p class="hint">{say.sessionsLead}</p>
      <p class="visually-hidden" role="status">
        {note}
      </p>
      {action.error !== null && <Failed error={action.error} />}
      <ul class="access-list">
        {sessions.map((one) => (
          <li key={one.id}>
            <span class="access-main">
              <strong title={one.agent}>{agentWords(one.agent)}</strong>
              {one.current && <span class="tag">{say.here}</span>}
              <span class="row-sub">
                {say.since} {moment(one.created)} · {say.seen} {moment(one.last_seen)} · {say.ends}{" "}
                {moment(one.expires)}
              </span>
            </span>
            {!one.current && (
              <button
                type="button"
                class="button"
                aria-label={say.endOf(agentWords(one.agent))}
                disabled={action.isBusy}
                onClick={() => void action.run(() => end(one.id))}
              >
                {say.end}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
