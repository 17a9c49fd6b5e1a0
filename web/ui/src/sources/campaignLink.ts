/* A link with campaign parameters. Pure. */
export interface CampaignLink {
  target: string;
  source: string;
  medium: string;
  campaign: string;
  term: string;
  content: string;
}

const PARAMETERS: [keyof CampaignLink, string][] = [
  ["source", "utm_source"],
  ["medium", "utm_medium"],
  ["campaign", "utm_campaign"],
  ["term", "utm_term"],
  ["content", "utm_content"],
];

/* null where the target is no whole address of a page; what it has of these parameters is replaced. */
export function campaignLink(parts: CampaignLink): string | null {
  let url: URL;
  try {
    url = new URL(parts.target.trim());
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  for (const [key, parameter] of PARAMETERS) {
    const value = parts[key].trim();
    if (value !== "") url.searchParams.set(parameter, value);
  }
  return url.href;
}
