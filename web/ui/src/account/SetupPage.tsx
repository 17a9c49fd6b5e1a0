import { api } from "../api";
import type { Session } from "../api-types";
import { messageOf } from "../parts/hooks";
import { text } from "../text";
import { Credentials } from "./Credentials";
import { Door } from "./Door";

export function SetupPage({ token, onDone }: { token: string; onDone: (session: Session) => void }) {
  const words = text.account;
  return (
    <Door title={words.setupTitle}>
      {token === "" ? (
        <p>{words.setupNoToken}</p>
      ) : (
        <>
          <p class="lead">{words.setupLead}</p>
          <Credentials
            isNew
            button={words.setupButton}
            submit={async (email, password) => onDone(await api.setUp(token, email, password))}
            words={(error) => {
              if (error.status === 403 && error.code !== "insecure") return words.setupBadToken;
              if (error.status === 409) return words.setupDone;
              return messageOf(error);
            }}
          />
        </>
      )}
    </Door>
  );
}
