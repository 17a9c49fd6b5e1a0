// ClickHouse in a process of its own: one JSON line in ({sql}), one out ({text, ms, cpu_ms, peak_mb}
// or {error}). So that its memory is its own, and ends with it.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { Session } from "chdb";

const session = new Session(process.argv[2]);
const peakMb = () => Number(readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024;

function answer({ sql }) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const text = session.query(sql, "TSV");
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { text, ms, cpu_ms: (user + system) / 1000, peak_mb: peakMb() };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
session.close();
