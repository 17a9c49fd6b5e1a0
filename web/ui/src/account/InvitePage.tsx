/* What an invitation's link opens: a new account, or the one that is there, gets a role for a site. */
import { useState } from "preact/hooks";
import { api, type ApiError } from "../api";
import type { OpenInvitation, Session } from "../api-types";
import { formatMoment } from "../format";
import { Await, Loading, Notice } from "../parts/basic";
import { asApiError, messageOf, useAction, useLoaded } from "../parts/hooks";
import { link, navigate, useFragment } from "../router";
import { text } from "../text";
import { tooManyWords } from "./tooMany";
import { words } from "../words/people";
import { Door } from "./Door";
import { PasswordField } from "./PasswordField";

const say = words.invite;

interface Props {
  session: Session;
  onDone: (session: Session) => void;
}

export function InvitePage(props: Props) {
  const token = useFragment();
  return (
    <Door title={say.title}>
      {token === "" ? <p>{say.none}</p> : <Invitation key={token} {...props} token={token} />}
    </Door>
  );
}

/* null: the link is not valid */
function useInvitation(token: string) {
  return useLoaded<OpenInvitation | null>(
    () =>
      api.invitation(token).catch((reason: unknown) => {
        if (asApiError(reason).field === "token") return null;
        throw reason;
      }),
    token,
  );
}

function Invitation({ token, session, onDone }: Props & { token: string }) {
  const loaded = useInvitation(token);
  if (loaded.state === "loading") return <Loading />;
  return (
    <Await loaded={loaded}>
      {(invitation) =>
        invitation === null ? (
          <p>{say.bad}</p>
        ) : (
          <Accept token={token} session={session} invitation={invitation} onDone={onDone} />
        )
      }
    </Await>
  );
}

function wordsOf(error: ApiError, isKnown: boolean): string {
  if (error.status === 429) return tooManyWords(error);
  if (error.field === "token") return say.bad;
  if (isKnown && (error.status === 401 || error.code === "denied")) return say.wrong;
  return messageOf(error);
}

function Accept({ token, session, invitation, onDone }: Props & { token: string; invitation: OpenInvitation }) {
  const { email, site, role, has_account: isKnown, expires } = invitation;
  const [password, setPassword] = useState("");
  const action = useAction();
  const mine = session.account?.email ?? email;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const submit = async () => {
    const next = await api.acceptInvitation(token, password);
    navigate(link.site(site), { replace: true });
    onDone(next);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void action.run(submit);
      }}
    >
      <p class="lead">{say.lead(email, site, text.access.roles[role])}</p>
      {mine !== email && <Notice kind="info">{say.elsewhere(mine, email)}</Notice>}
      <input type="email" name="email" value={email} autocomplete="username" readOnly hidden />
      <PasswordField
        label={say.password}
        hint={isKnown ? say.isKnown : `${say.isNew} ${text.account.passwordHint}`}
        error={action.error === null ? null : wordsOf(action.error, isKnown)}
        isNew={!isKnown}
        value={password}
        onChange={setPassword}
      />
      <button type="submit" class="button is-primary" disabled={action.isBusy}>
        {say.accept}
      </button>
      <p class="hint">{say.until(formatMoment(expires, zone))}</p>
    </form>
  );
}
