/* Numbers inside sentences. */
export const LOCALE = "en-GB";

const integers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });

export const n = (count: number) => integers.format(count);
export const plural = (count: number, one: string, many: string) => `${n(count)} ${count === 1 ? one : many}`;
export const visitors = (count: number) => plural(count, "visitor", "visitors");
