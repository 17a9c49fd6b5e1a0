// ClickHouse (npm package chdb) as the benchmarks and make check-full use it: never more than two
// threads and 8 GB.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const LIMITS = "max_threads=2, max_insert_threads=2, max_memory_usage=8000000000";

/** Why ClickHouse cannot be had, or null. */
export const missing = () => existsSync(join(here, "node_modules/chdb"))
  ? null : "no ClickHouse: `scripts/setup.sh clickhouse` installs it (npm chdb, 570 MB)";

export class ClickHouse {
  /** Start it on a folder of data, which is made where it is not there. */
  constructor(folder) {
    this.child = spawn(process.execPath, [join(here, "engine.mjs"), folder], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** {text, ms, cpu_ms, peak_mb}; what went wrong is thrown. settings: as "a=1, b=2". */
  async ask(sql, settings = "") {
    const limits = [LIMITS, settings].filter(Boolean).join(", ");
    const isPlain = /^\s*(CREATE|DROP|OPTIMIZE)/i.test(sql);
    this.child.stdin.write(`${JSON.stringify({ sql: isPlain ? sql : `${sql} SETTINGS ${limits}` })}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error("ClickHouse has ended");
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(`ClickHouse: ${reply.error}\n${sql}`);
    return reply;
  }

  async close() {
    const ended = new Promise((done) => this.child.once("exit", done));
    this.child.stdin.end();
    await ended;
  }
}
