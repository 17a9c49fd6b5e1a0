// A running dashboard over a data folder, asked for reports as a browser asks: nothing of them is kept, as each has an
// `as_of` of its own.
import { Corong } from "../tests/e2e/browser/corong.mjs";

const ACCOUNT = { email: "bench@shop.example", password: "correct horse battery" };
const AS_OF_MS = Date.parse("2027-01-01T00:00:00Z");

export class Server {
  /** On a data folder that close() removes. */
  static async on(data) {
    const it = new Server();
    it.asked = 0;
    it.corong = await Corong.on(data);
    it.origin = new URL(it.corong.dashboard).origin;
    const token = new URL(it.corong.firstAccount).searchParams.get("token");
    const answer = await it.#post("/api/v1/setup", { token, ...ACCOUNT });
    it.cookie = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
    return it;
  }

  async #post(path, body) {
    const answer = await fetch(this.origin + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Corong": "1", Origin: this.origin, Cookie: this.cookie ?? "" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async report(site, request) {
    const as_of = new Date(AS_OF_MS + this.asked++).toISOString();
    return (await this.#post(`/api/v1/sites/${site}/report`, { ...request, as_of })).json();
  }

  close() {
    return this.corong.down();
  }
}
