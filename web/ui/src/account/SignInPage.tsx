import { api } from "../api";
import type { Session } from "../api-types";
import { Notice } from "../parts/basic";
import { messageOf } from "../parts/hooks";
import { text } from "../text";
import { tooManyWords } from "./tooMany";
import { Credentials } from "./Credentials";
import { Door } from "./Door";

interface Props {
  /* came by a set-up link, but an account exists */
  wasSetup: boolean;
  onDone: (session: Session) => void;
}

export function SignInPage({ wasSetup, onDone }: Props) {
  return (
    <Door title={text.account.signInTitle}>
      {wasSetup && <Notice kind="info">{text.account.setupDone}</Notice>}
      <Credentials
        isNew={false}
        button={text.account.signIn}
        submit={async (email, password) => onDone(await api.signIn(email, password))}
        words={(error) => {
          if (error.status === 401) return text.account.wrong;
          if (error.status === 429) return tooManyWords(error);
          return messageOf(error);
        }}
      />
    </Door>
  );
}
