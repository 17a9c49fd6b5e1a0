/* What a value of an attribute is called where its code is not what people say. */
import { LOCALE, text } from "./text";

function nameOf(type: "region" | "language", code: string): string {
  try {
    return new Intl.DisplayNames(LOCALE, { type }).of(code) ?? code;
  } catch {
    return code;
  }
}

/* "Bandung, Indonesia"; what is not known is left out. */
export function placeWords(city: string | null, country: string | null): string {
  return [city, country].filter((word) => word !== null && word !== "").join(", ");
}

export function valueName(attribute: string, value: string | null): string {
  if (value === null) return text.ask.notSet;
  if (attribute === "continent") return text.ask.continents[value] ?? value;
  if (attribute === "channel") return text.values.channel[value] ?? value;
  if (attribute === "device") return text.values.device[value] ?? value;
  if (attribute === "country" && /^[A-Z]{2}$/.test(value)) return nameOf("region", value);
  if (attribute === "language" && /^[a-z]{2,3}(-[A-Za-z]{2,4})?$/.test(value)) return nameOf("language", value);
  if (attribute === "region" && /^[A-Z]{2}-/.test(value)) {
    const country = nameOf("region", value.slice(0, 2));
    const isCode = /^[A-Z0-9]{1,3}$/.test(value.slice(3));
    return `${isCode ? value : value.slice(3)}, ${country}`;
  }
  return value;
}
