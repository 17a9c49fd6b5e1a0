/* A list of hosts, one a line. */
import { useState } from "preact/hooks";
import { Field } from "../parts/basic";
import { listOf } from "./groups";

interface Props {
  label: string;
  hint: string;
  error: string | null;
  value: string[];
  onChange: (value: string[]) => void;
}

export function ListField({ label, hint, error, value, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <textarea
          {...ids}
          class="code"
          rows={Math.min(8, Math.max(2, value.length + 1))}
          spellcheck={false}
          autocomplete="off"
          value={typed ?? value.join("\n")}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            onChange(listOf(event.currentTarget.value));
          }}
          onBlur={() => setTyped(null)}
        />
      )}
    </Field>
  );
}
