/* Who may see and change a site: its people, and those who are invited. */
import { useState } from "preact/hooks";
import { api } from "../api";
import type { NewInvitation, People, Person, Role, Session, Site } from "../api-types";
import { formatMoment } from "../format";
import { Await, CopyBox, Field, Notice } from "../parts/basic";
import { Confirm } from "../parts/Confirm";
import { messageOf, useAction, useLoaded, useTitle } from "../parts/hooks";
import { PageHead } from "../parts/PageHead";
import { text } from "../text";
import { words } from "../words/people";

const ROLES: Role[] = ["owner", "editor", "viewer"];
const say = words.people;

interface Props {
  site: Site;
  session: Session;
}

export function PeoplePage({ site, session }: Props) {
  useTitle(`${say.title} · ${site.name}`);
  const loaded = useLoaded((signal) => api.people(site.name, signal), site.name);
  return (
    <>
      <PageHead title={say.title} lead={say.lead} />
      <Await loaded={loaded}>{(people) => <Lists site={site} session={session} initial={people} />}</Await>
    </>
  );
}

function Lists({ site, session, initial }: Props & { initial: People }) {
  const [{ people, invitations }, setPeople] = useState(initial);
  const [note, setNote] = useState("");
  const set = (change: Partial<People>, words: string) => {
    setPeople((old) => ({ ...old, ...change }));
    setNote(words);
  };
  const remove = async ({ email }: Person) => {
    await api.removePerson(site.name, email);
    set({ people: people.filter((one) => one.email !== email) }, say.removed(email));
  };
  const setRole = async (email: string, role: Role) => {
    await api.setRole(site.name, email, role);
    const next = people.map((one) => (one.email === email ? { ...one, role } : one));
    set({ people: next }, say.changed(email, text.access.roles[role]));
  };
  return (
    <div class="stack">
      <section class="panel" aria-label={say.caption}>
        <p class="visually-hidden" role="status">
          {note}
        </p>
        <ul class="access-list">
          {people.map((person) => (
            <PersonRow
              key={person.email}
              person={person}
              isYou={person.email === session.account?.email}
              onRole={(role) => setRole(person.email, role)}
              onRemove={() => remove(person)}
            />
          ))}
        </ul>
        <ul class="access-rights hint">
          {ROLES.map((role) => (
            <li key={role}>{say.rights[role]}</li>
          ))}
        </ul>
      </section>
      <InviteForm
        site={site}
        onMade={(made) => set({ invitations: [...invitations, made] }, "")}
      />
      {invitations.length > 0 && (
        <section class="panel" aria-labelledby="open-title">
          <h2 id="open-title">{say.open}</h2>
          <ul class="access-list">
            {invitations.map((one) => (
              <li key={one.id}>
                <span class="access-main">
                  <strong>{one.email}</strong>
                  <span class="row-sub">
                    {say.invited(text.access.roles[one.role], one.created_by, formatMoment(one.expires, site.timezone))}
                  </span>
                </span>
                <Confirm
                  label={say.withdraw}
                  name={say.withdrawOf(one.email)}
                  title={say.withdrawTitle}
                  yes={say.withdraw}
                  run={async () => {
                    await api.withdraw(site.name, one.id);
                    set({ invitations: invitations.filter(({ id }) => id !== one.id) }, say.withdrawn(one.email));
                  }}
                >
                  <p>{say.withdrawLead(one.email)}</p>
                </Confirm>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

interface RowProps {
  person: Person;
  isYou: boolean;
  onRole: (role: Role) => Promise<void>;
  onRemove: () => Promise<void>;
}

/* A role is chosen first and changed by a button: arrow keys in a list would change it on the way. */
function PersonRow({ person, isYou, onRole, onRemove }: RowProps) {
  const { email } = person;
  const [role, setRole] = useState(person.role);
  const action = useAction();
  return (
    <li>
      <span class="access-main">
        <strong>{email}</strong>
        {isYou && <span class="tag">{say.you}</span>}
        {action.error !== null && <span class="field-error">{messageOf(action.error)}</span>}
      </span>
      {person.is_everywhere ? (
        <span class="row-sub" title={say.everywhereHint}>
          {words.roleNames[person.role]}, {say.everywhere}
        </span>
      ) : (
        <span class="actions">
          <RoleSelect label={say.roleOf(email)} value={role} onChange={setRole} />
          {role !== person.role && (
            <button
              type="button"
              class="button is-primary"
              aria-label={say.changeOf(email, text.access.roles[role])}
              disabled={action.isBusy}
              onClick={() => void action.run(() => onRole(role))}
            >
              {say.change}
            </button>
          )}
          <Confirm
            label={words.remove}
            name={say.removeOf(email)}
            title={say.removeTitle}
            yes={say.removeYes}
            run={onRemove}
          >
            <p>{isYou ? say.removeSelf : say.removeLead(email)}</p>
          </Confirm>
        </span>
      )}
    </li>
  );
}

function RoleSelect({
  id,
  label,
  value,
  onChange,
}: {
  id?: string;
  label?: string;
  value: Role;
  onChange: (role: Role) => void;
}) {
  return (
    <select
      id={id}
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Role)}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {words.roleNames[role]}
        </option>
      ))}
    </select>
  );
}

function InviteForm({ site, onMade }: { site: Site; onMade: (made: NewInvitation) => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [made, setMade] = useState<NewInvitation | null>(null);
  const action = useAction();
  const { error } = action;
  const submit = async () => {
    const next = await api.invite(site.name, email.trim(), role);
    setMade(next);
    setEmail("");
    onMade(next);
  };
  return (
    <form
      class="panel stack"
      aria-labelledby="invite-title"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(submit);
      }}
    >
      <h2 id="invite-title">{say.invite}</h2>
      <p class="hint">{say.inviteLead}</p>
      {error !== null && error.field !== "email" && <Notice kind="error">{messageOf(error)}</Notice>}
      <div class="access-form">
        <Field label={say.email} error={error?.field === "email" ? messageOf(error) : null}>
          {(ids) => (
            <input
              {...ids}
              type="email"
              required
              autocomplete="off"
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={say.role}>
          {({ id }) => <RoleSelect id={id} value={role} onChange={setRole} />}
        </Field>
        <button type="submit" class="button is-primary" disabled={action.isBusy}>
          {say.makeLink}
        </button>
      </div>
      {made !== null && (
        <Notice kind="success">
          <CopyBox label={say.link(made.email)} value={window.location.origin + made.path} rows={2} />
          <p>{words.once}</p>
        </Notice>
      )}
    </form>
  );
}
