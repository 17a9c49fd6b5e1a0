/* E-mail address and password, for signing in and for the first account. */
import { useState } from "preact/hooks";
import type { ApiError } from "../api";
import { Field, Notice } from "../parts/basic";
import { asApiError } from "../parts/hooks";
import { text } from "../text";
import { PasswordField } from "./PasswordField";

interface Props {
  isNew: boolean;
  button: string;
  submit: (email: string, password: string) => Promise<void>;
  words: (error: ApiError) => string;
}

export function Credentials({ isNew, button, submit, words }: Props) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await submit(email.trim(), password);
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
    }
  };
  const at = (field: string) => (error?.field === field ? words(error) : null);
  const isElsewhere = error !== null && error.field !== "email" && error.field !== "password";
  return (
    <form class="stack" onSubmit={(event) => void onSubmit(event)}>
      {isElsewhere && <Notice kind="error">{words(error)}</Notice>}
      <Field label={text.account.email} error={at("email")}>
        {(ids) => (
          <input
            {...ids}
            type="email"
            name="email"
            required
            autocomplete="username"
            value={email}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        )}
      </Field>
      <PasswordField
        label={text.account.password}
        hint={isNew ? text.account.passwordHint : undefined}
        error={at("password")}
        isNew={isNew}
        value={password}
        onChange={setPassword}
      />
      <button type="submit" class="button is-primary" disabled={isBusy}>
        {button}
      </button>
    </form>
  );
}
