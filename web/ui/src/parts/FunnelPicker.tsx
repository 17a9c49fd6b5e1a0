/* Which of the site's saved funnels a page speaks of. */
import type { SavedFunnel } from "../api-types";

interface Props {
  label: string;
  funnels: SavedFunnel[];
  chosen: string;
  choose: (name: string) => void;
  none?: string; /* what choosing no funnel, "", is called; it cannot be chosen without */
}

export function FunnelPicker({ label, funnels, chosen, choose, none }: Props) {
  return (
    <label class="inline-field">
      {label}
      <select value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
        {funnels.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
        {none !== undefined && <option value="">{none}</option>}
      </select>
    </label>
  );
}
