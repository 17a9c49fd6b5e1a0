import { text } from "../text";
import { Door } from "./Door";

export function InsecurePage() {
  const words = text.account;
  const [proxy, forward, flag] = words.insecureWays;
  return (
    <Door title={words.insecureTitle}>
      <p class="lead">{words.insecureLead}</p>
      <ul class="ways">
        <li>{proxy}</li>
        <li>
          {forward} <code>{words.insecureSsh}</code>
        </li>
        <li>
          {flag} <code>{words.insecureFlag}</code>
        </li>
      </ul>
    </Door>
  );
}
