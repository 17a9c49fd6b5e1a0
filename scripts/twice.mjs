/* Runs parts of a test suite, some at a time; a part that failed is run once more, alone, after the
 * rest. What fails again fails the run. What passes then is named in the last lines and in the file
 * UNSTEADY, which scripts/test.sh prints at its very end: it does not fail the run, and is to be
 * mended all the same. */
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";

/* One more than there are cores: a test mostly waits for a browser. TEST_JOBS=1: one after the other. */
export const JOBS = Number(process.env.TEST_JOBS ?? 0) || cpus().length + 1;

async function once(part) {
  const began = performance.now();
  const { failed, said } = await part.run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${failed.length === 0 ? "passed" : "FAILED"}  ${part.name}, ${seconds} s`);
  if (said !== "") console.log(said);
  return failed;
}

/* parts: {name, run}; run() resolves to what failed in it, by name, and to what there is to say. */
export async function runTwice(parts, jobs = JOBS) {
  const queue = [...parts];
  const again = [];
  const worker = async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const failed = await once(part);
      if (failed.length > 0) again.push({ part, failed });
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));

  const broken = [];
  const unsteady = [];
  for (const { part, failed } of again) {
    console.log(`\nonce more, alone: ${part.name}`);
    const still = await once(part);
    if (still.length > 0) broken.push(...still.map((test) => `${part.name}: ${test}`));
    else unsteady.push(...failed.map((test) => `unsteady: ${part.name}: ${test}`));
  }
  if (unsteady.length > 0 && process.env.UNSTEADY) appendFileSync(process.env.UNSTEADY, `${unsteady.join("\n")}\n`);
  for (const line of [...unsteady, ...broken.map((test) => `failed twice: ${test}`)]) console.log(line);
  return broken.length === 0;
}
