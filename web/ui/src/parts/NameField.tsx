/* What somebody calls something of his. */
import { Field } from "./basic";

interface Props {
  label: string;
  hint?: string | undefined;
  error: string | null;
  max: number;
  value: string;
  onChange: (value: string) => void;
}

export function NameField({ label, hint, error, max, value, onChange }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <input
          {...ids}
          required
          maxLength={max}
          autocomplete="off"
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
