/* There is nothing at this address. */
import { link } from "../router";
import { text } from "../text";
import { useTitle } from "./hooks";

export function NotFound() {
  useTitle("");
  return (
    <div class="empty">
      <h1>{text.common.notFound}</h1>
      <p>
        <a href={link.sites()}>{text.common.backToSites}</a>
      </p>
    </div>
  );
}
