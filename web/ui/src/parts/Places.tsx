/* Whose data places are from, where the place database asks to be named. */
import type { Session } from "../api-types";
import { text } from "../text";

export function Places({ session }: { session: Session }) {
  const { places } = session;
  if (places === null) return null;
  return (
    <p class="hint places">
      <a href={places.url} target="_blank" rel="noopener">
        {places.name}
        <span class="visually-hidden"> {text.common.opensElsewhere}</span>
      </a>
    </p>
  );
}
