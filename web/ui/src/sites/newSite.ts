/* The secret key of a site that was just added: the server tells it once, and the page that the site
 * is shown on is another one. It is gone when the application is loaded anew. */
let added: { site: string; secretKey: string } | null = null;

export function rememberSecret(site: string, secretKey: string): void {
  added = { site, secretKey };
}

export function secretOf(site: string): string | null {
  return added?.site === site ? added.secretKey : null;
}
