/* A new password, or the one of an account that is there. */
import { Field } from "../parts/basic";

const NEW_MIN = 10;

interface Props {
  label: string;
  hint?: string | undefined;
  error: string | null;
  isNew: boolean;
  value: string;
  onChange: (value: string) => void;
}

export function PasswordField({ label, hint, error, isNew, value, onChange }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <input
          {...ids}
          type="password"
          name="password"
          required
          minLength={isNew ? NEW_MIN : 1}
          autocomplete={isNew ? "new-password" : "current-password"}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
