// The product as somebody runs it: `corong up --demo` on a data folder of its own and free ports.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export const binary =
  process.env.CORONG_BINARY || fileURLToPath(new URL('../../../build/corong', import.meta.url));

export class Corong {
  // Resolves when it has printed its addresses.
  static async up(...flags) {
    return Corong.on(await mkdtemp(`${tmpdir()}/corong-e2e-`), ...flags);
  }

  // On a data folder that down() removes.
  static async on(data, ...flags) {
    const it = new Corong();
    it.data = data;
    it.words = '';
    it.process = spawn(
      binary,
      ['up', '--data', it.data, '--collector-port', '0', '--web-port', '0', ...flags],
      { stdio: ['ignore', 'pipe', 'pipe'] }
    );
    it.ended = new Promise(resolve => {
      it.process.once('exit', resolve);
      it.process.once('error', error => resolve((it.words += error)));
    });
    for (const stream of [it.process.stdout, it.process.stderr])
      stream.on('data', chunk => (it.words += chunk));
    try {
      await it.#greeting();
    } catch (error) {
      await it.down();
      throw error;
    }
    return it;
  }

  async #greeting() {
    const deadline = Date.now() + 180_000;
    const said = pattern => this.words.match(pattern)?.[1];
    let hasEnded = false;
    this.ended.then(() => (hasEnded = true));
    while (!said(/(Ctrl-C)/)) {
      if (hasEnded || Date.now() > deadline)
        throw new Error(`corong up did not come up. It said:\n${this.words}`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    this.dashboard = said(/dashboard\s+(\S+)/);
    this.collector = said(/collector\s+(\S+)/);
    this.shop = said(/demo shop\s+(\S+)/);
    this.firstAccount = said(/first account\s+(\S+)/);
  }

  // Run a command on the same data folder; resolves to what it printed.
  run(...words) {
    return new Promise((resolve, reject) => {
      const child = spawn(binary, [...words, '--data', this.data]);
      let out = '';
      let problem = '';
      child.stdout.on('data', chunk => (out += chunk));
      child.stderr.on('data', chunk => (problem += chunk));
      child.once('error', reject);
      child.once('exit', code =>
        code === 0 ? resolve(out) : reject(new Error(`corong ${words.join(' ')}: ${problem}`))
      );
    });
  }

  async down() {
    this.process.kill('SIGINT');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 60_000);
    await this.ended;
    clearTimeout(timer);
    await rm(this.data, { recursive: true, force: true });
  }
}
