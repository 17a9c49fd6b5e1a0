// The HTTP API of a running `corong up`, as the dashboard asks it: signed in by a cookie.

/** Make the first account by the one-time link that `corong up` printed, and stay signed in. */
export async function signUp(service, account = { email: "owner@shop.example", password: "a long enough one" }) {
  const token = new URL(service.setup).searchParams.get("token") ?? new URL(service.setup).hash.slice(1);
  const answer = await fetch(`${service.web}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-corong": "1" },
    body: JSON.stringify({ token: token.replace(/^token=/, ""), ...account }),
  });
  if (answer.status !== 201) throw new Error(`setup: ${answer.status} ${await answer.text()}`);
  return client(service.web, answer.headers.get("set-cookie").split(";")[0]);
}

/** Requests with a session's cookie: get(path), post(path, body), send(method, path, body). */
export function client(web, cookie) {
  async function send(method, path, body) {
    const answer = await fetch(`${web}/api/v1${path}`, {
      method,
      headers: { cookie, "x-corong": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${text}`);
    return /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : text;
  }
  return { cookie, send, get: (path) => send("GET", path), post: (path, body) => send("POST", path, body) };
}

/** The whole list behind a figure, page by page: {n, rows, pages}. */
export async function wholeList(api, site, question) {
  const rows = [];
  let pages = 0;
  for (let cursor = null, snapshot = question.snapshot; ; pages++) {
    const page = await api.post(`/sites/${site}/visitors`, { ...question, snapshot, cursor });
    if (page.snapshot_gone) throw new Error("the report's files are gone");
    rows.push(...page.visitors);
    ({ cursor, snapshot } = page);
    if (cursor === null) return { n: page.n, rows, pages: pages + 1 };
  }
}
