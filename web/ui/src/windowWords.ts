/* "7d" as "7 days". A window is a whole number and ms, s, m (minutes), h or d. */
import { text } from "./text";

export interface Window {
  count: number;
  unit: string;
}

export function parseWindow(window: string): Window | null {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(window);
  if (match === null) return null;
  return { count: Number(match[1]), unit: match[2] ?? "d" };
}

export function windowWords(window: string): string {
  const parsed = parseWindow(window);
  if (parsed === null) return window;
  return text.window[parsed.unit]?.(parsed.count) ?? window;
}
