// What every benchmark says about the machine, and the few tools that all of them need.
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
export const percentile = (list, p) =>
  [...list].sort((a, b) => a - b)[Math.min(list.length, Math.ceil(list.length * p)) - 1];
export const times = (n, fn) => Array.from({ length: n }, (_, i) => fn(i));
export const sleep = (ms) => new Promise((later) => setTimeout(later, ms));
export const timed = (fn) => {
  const start = performance.now();
  fn();
  return performance.now() - start;
};

/** Median time of writing 4 KB and having it on the disk of `folder`, in ms. */
export function fsyncMs(folder) {
  const fd = openSync(join(folder, "fsync"), "w");
  const block = Buffer.alloc(4096, 1);
  const list = times(300, () => timed(() => { writeSync(fd, block); fdatasyncSync(fd); }));
  closeSync(fd);
  return median(list);
}

/** Copying in memory, bytes read and written, in GB/s. */
export function memoryGBs() {
  const from = Buffer.alloc(1 << 28, 1);
  const to = Buffer.alloc(1 << 28);
  const ms = median(times(5, () => timed(() => from.copy(to))));
  return (2 * from.length) / ms / 1e6;
}

export function describeMachine(folder) {
  return `machine: ${cpus()[0].model.trim()}, ${cpus().length} cores, ` +
    `${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}; ` +
    `fdatasync of 4 KB ${fsyncMs(folder).toFixed(2)} ms, memory copied at ${memoryGBs().toFixed(1)} GB/s, ` +
    `load before the start ${loadavg()[0].toFixed(1)}`;
}

/** A port of loopback that nobody listens on. */
export const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});
