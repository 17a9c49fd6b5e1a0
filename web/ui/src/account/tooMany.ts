import type { ApiError } from "../api";
import { text } from "../text";

const MINUTE = 60;

/* Of an answer 429: when the next attempt is let through. */
export function tooManyWords({ retryAfterSeconds: seconds }: ApiError): string {
  const { account } = text;
  if (seconds === null) return account.tooMany;
  return seconds < 1.5 * MINUTE ? account.tooManySeconds(seconds) : account.tooManyMinutes(Math.ceil(seconds / MINUTE));
}
