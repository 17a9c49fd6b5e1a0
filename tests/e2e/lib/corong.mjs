// The product as a person uses it: the binary, a data folder of its own, nothing else.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const root = resolve(here, "../../..");
export const binary = process.env.CORONG_BINARY ?? join(root, "build/corong");

/** The folder of data that is not ours, or null with a line that says so. */
export function testData(name) {
  const base = process.env.CORONG_TEST_DATA ?? join(root, "../shared/data");
  const dir = join(base, name);
  try {
    readFileSync(join(base, "README.md"));
    return dir;
  } catch {
    console.log(`skipped: no test data at ${dir} (set CORONG_TEST_DATA)`);
    return null;
  }
}

export function temporaryFolder() {
  const dir = mkdtempSync(join(tmpdir(), "corong-test-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Run a command to its end: {code, out, err}. `input` goes to its standard input; `data` may be
 *  null for commands that touch no data. */
export function corong(data, args, { input, timeout = 600_000 } = {}) {
  return new Promise((done) => {
    const child = execFile(
      binary,
      data === null ? args : [...args, "--data", data],
      { maxBuffer: 1 << 28, timeout },
      (error, out, err) => {
        const code = error ? (typeof error.code === "number" ? error.code : -1) : 0;
        done({ code, out, err });
      },
    );
    if (input !== undefined) child.stdin.end(input);
  });
}

/** As corong, but anything else than exit code 0 throws with what was said. */
export async function corongOk(data, args, options) {
  const got = await corong(data, args, options);
  if (got.code !== 0) throw new Error(`corong ${args.join(" ")}: exit ${got.code}\n${got.err}`);
  return got.out;
}

/** A funnel of stages that match event names, as the cases and reference reports have it. */
export function funnelOfEvents(name, stages, { window, preset = "open", exclusions = [] }) {
  const rule = (events) => ({ attribute: "event", op: "is", values: events });
  return {
    name,
    preset,
    window,
    stages: stages.map((s) => ({
      name: s.name,
      ...(s.required === undefined ? {} : { required: s.required }),
      rule: rule(s.events),
    })),
    exclusions: exclusions.map((x) => ({ rule: rule(x.events), from: x.from, to: x.to })),
  };
}

export function writeJson(dir, name, value) {
  const path = join(dir, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

/** `corong up` in a folder, on free ports: {url, collector, setup, process, stop()}. */
export async function up(data, args = []) {
  const process = spawn(
    binary,
    ["up", "--data", data, "--collector-port", "0", "--web-port", "0", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  let errors = "";
  process.stderr.on("data", (d) => (errors += d));
  await new Promise((ready, fail) => {
    process.stdout.on("data", (d) => {
      said += d;
      if (said.includes("Ctrl-C")) ready();
    });
    process.on("exit", (code) => fail(new Error(`corong up ended with ${code}\n${errors}`)));
  });
  const find = (pattern) => said.match(pattern)?.[1];
  return {
    process,
    web: find(/dashboard\s+(\S+)/).replace(/\/$/, ""),
    collector: find(/collector\s+(\S+)/).replace(/\/$/, ""),
    shop: find(/demo shop\s+(\S+)/),
    setup: find(/first account\s+(\S+)/),
    errors: () => errors,
    stop: () =>
      new Promise((done) => {
        process.removeAllListeners("exit");
        process.on("exit", (code) => done(code));
        process.kill("SIGTERM");
      }),
  };
}

/** Run fn over items, `width` at a time. */
export async function inParallel(items, width, fn) {
  const queue = items.entries();
  const worker = async () => {
    for (const [i, item] of queue) await fn(item, i);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
