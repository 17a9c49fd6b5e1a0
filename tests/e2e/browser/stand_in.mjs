// A collector to test the snippet against: serves pages, keeps beacons, answers as it is told.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const root = new URL('../../../', import.meta.url);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export const SITE = 'site_AAAAAAAAAAAAAAAAAAAAAA';

// What a careful shop sends along with its pages.
const STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";

export class StandIn {
  beacons = [];
  requests = []; // "POST /e"
  answer = () => 204; // of a beacon: a status; 0 takes it and breaks the connection
  answerHeaders = () => ({}); // of a beacon, besides what each answer has
  pages = {}; // path: {html, headers}

  static async start() {
    const it = new StandIn();
    it.server = createServer((request, response) => it.#serve(request, response));
    await new Promise(resolve => it.server.listen(0, '127.0.0.1', resolve));
    it.port = it.server.address().port;
    it.origin = `http://localhost:${it.port}`;
    return it;
  }

  // A page with the snippet's tag (with the settings `data`), and what else is given.
  page(path, body = '', { headers = {}, origin = '', data = '', file = 'corong.js' } = {}) {
    this.pages[path] = {
      headers,
      html: `<!doctype html><title>Page ${path}</title>
        <script defer src="${origin}/${file}" data-site="${SITE}" ${data}></script>${body}`,
    };
  }

  // A script of the site's own, as a strict CSP wants it.
  script(path, text) {
    this.pages[path] = { headers: { 'content-type': 'text/javascript' }, html: text };
  }

  get events() {
    return this.beacons.flatMap(beacon => beacon.events);
  }

  // Without what every page tells when it is left.
  get told() {
    return this.events.filter(event => event.event !== 'engage');
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  async #serve(request, response) {
    const { pathname } = new URL(request.url, 'http://localhost');
    this.requests.push(`${request.method} ${pathname}`);
    if (pathname === '/e') return this.#take(request, response);
    const page = this.pages[pathname];
    if (page) {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': STRICT,
        ...page.headers,
      });
      return response.end(page.html);
    }
    if (/^\/corong[a-z-]*\.js$/.test(pathname)) {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      return response.end(await readFile(new URL(`js-snippet/dist${pathname}`, root)));
    }
    if (pathname.startsWith('/shop/')) return this.#shop(pathname.slice(6), response);
    response.writeHead(404).end();
  }

  async #shop(name, response) {
    const file = /^[\w-]+\.\w+$/.test(name) ? name : 'index.html';
    const text = await readFile(new URL(`bench/shop-pages/${file}`, root), 'utf8').catch(() => null);
    if (text === null) return response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': `${types[extname(file)]}; charset=utf-8`,
      'content-security-policy': STRICT,
    });
    response.end(text.replace('{{SITE_KEY}}', SITE));
  }

  async #take(request, response) {
    let body = '';
    for await (const chunk of request) body += chunk;
    const beacon = JSON.parse(body);
    const status = this.answer(beacon);
    this.beacons.push({ ...beacon, type: request.headers['content-type'], status });
    if (!status) return request.socket.destroy();
    response.writeHead(status, {
      'access-control-allow-origin': request.headers.origin ?? '*',
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-store',
      ...this.answerHeaders(beacon, request),
    });
    response.end();
  }
}
