/* Figures as text. Nothing here rounds a figure that is used in a calculation, and nothing ever
 * prints NaN: a missing divisor arrives as null and is printed as a dash. */
import { LOCALE, text } from "./text";

export const DASH = "–";

/* In the place of a figure that is still being worked out. */
export const LATER = "…";

const integers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const twoDecimals = new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

export function formatCount(count: number): string {
  return integers.format(count);
}

/* 0.0816 -> "8.2%"; two decimals under 1%; never "0.0%" for something nor "100.0%" for less than all. */
export function formatShare(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return DASH;
  const percent = share * 100;
  if (percent === 0) return "0%";
  if (percent === 100) return "100%";
  if (percent < 0.005) return `<${twoDecimals.format(0.01)}%`;
  if (percent > 99.94 && percent < 100) return `>${oneDecimal.format(99.9)}%`;
  return `${(percent < 0.995 ? twoDecimals : oneDecimal).format(percent)}%`;
}

/* part of whole, null where there is no whole */
export function shareOf(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/* Two units at most, the second only while the first is small: "4 min", "1 h 20 min", "2 d 3 h". */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return DASH;
  const { units } = text;
  if (ms === 0) return units.atOnce;
  if (ms < SECOND) return `${integers.format(ms)} ${units.ms}`;
  if (ms < 10 * SECOND) return `${trimZero(oneDecimal.format(ms / SECOND))} ${units.s}`;
  const steps: [number, string, number, string][] = [
    [DAY, units.d, HOUR, units.h],
    [HOUR, units.h, MINUTE, units.min],
    [MINUTE, units.min, SECOND, units.s],
  ];
  for (const [size, name, smaller, smallerName] of steps) {
    const inSmaller = Math.round(ms / smaller);
    const perUnit = size / smaller;
    if (inSmaller < perUnit) continue;
    const big = Math.floor(inSmaller / perUnit);
    const rest = inSmaller % perUnit;
    if (big >= 10 || rest === 0) return `${integers.format(Math.round(ms / size))} ${name}`;
    return `${big} ${name} ${rest} ${smallerName}`;
  }
  return `${integers.format(Math.round(ms / SECOND))} ${units.s}`;
}

function trimZero(decimal: string): string {
  return decimal.replace(/[.,]0$/, "");
}

const decimalSign = oneDecimal.formatToParts(0.5).find((part) => part.type === "decimal")?.value ?? ".";

/* Groups the digits of an exact decimal text without ever making it a float. */
export function formatDecimal(decimal: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(decimal);
  if (match === null) return decimal;
  const [, sign = "", whole = "0", fraction = ""] = match;
  return sign + integers.format(BigInt(whole)) + fraction.replace(".", decimalSign);
}

/* Exact amounts with the other sign. */
export function negated(money: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(money).map(([code, amount]) => [
      code,
      /^-?0*(\.0*)?$/.test(amount) ? amount.replace("-", "") : amount.startsWith("-") ? amount.slice(1) : `-${amount}`,
    ]),
  );
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

/* "18.4 GB" */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  for (; amount >= 1000 && unit < BYTE_UNITS.length - 1; unit++) amount /= 1000;
  return `${unit === 0 || amount >= 100 ? integers.format(amount) : oneDecimal.format(amount)} ${BYTE_UNITS[unit] ?? ""}`;
}

/* One text per currency, the largest list first by code; empty where nothing has a value. */
export function formatMoney(money: Record<string, string> | null | undefined): string[] {
  return Object.entries(money ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, amount]) =>
      code === ""
        ? `${formatDecimal(amount)} ${text.noCurrency}`
        : `${formatDecimal(amount)} ${code}`,
    );
}

/* An amount that is only about so much: "1,180 SGD". */
export function formatAmount(amount: number, currency: string): string {
  return `${(amount < 10 ? twoDecimals : integers).format(amount)} ${currency}`.trim();
}

/* For narrow columns: the currency that is the rule goes unsaid, and so do its small units. */
export function formatMoneyShort(money: Record<string, string> | undefined, currency: string): string[] {
  const own = money?.[currency];
  if (own !== undefined && Object.keys(money ?? {}).length === 1) return [integers.format(Number(own))];
  return formatMoney(money);
}

/* "6.2", "120" */
export function formatRate(perUnit: number): string {
  return perUnit < 10 ? trimZero(oneDecimal.format(perUnit)) : integers.format(perUnit);
}

const DAY_ONLY: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", timeZone: "UTC" };

/* That calendar day, whatever zone the browser is in. */
function dayAs(day: string, options: Intl.DateTimeFormatOptions): string {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? day : new Intl.DateTimeFormat(LOCALE, options).format(time);
}

/* "2026-06-14" -> "14 June 2026" */
export const formatDay = (day: string): string => dayAs(day, { ...DAY_ONLY, month: "long", year: "numeric" });

/* "2026-06-14" -> "14 Jun 2026" */
export const formatDayShort = (day: string): string => dayAs(day, { ...DAY_ONLY, year: "numeric" });

/* "2026-06-14" -> "14 Jun" */
export const formatDayOfYear = (day: string): string => dayAs(day, DAY_ONLY);

export function formatMoment(iso: string, timezone: string): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  const options: Intl.DateTimeFormatOptions = {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  };
  try {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: timezone }).format(time);
  } catch {
    return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: "UTC" }).format(time);
  }
}
