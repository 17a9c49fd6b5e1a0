// npm test: every *.test.mjs here, a process each, those that take longest first. `node run.mjs cli`
// only those with `cli` in their path. What fails is run once more (scripts/twice.mjs).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runTwice } from '../../scripts/twice.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const LONG = ['identity', 'snippet_extras', 'acceptance', 'corong', 'hostile', 'random_reports', 'cli'];
const HANGS_AFTER_MS = 900_000;

// The names of the tests that failed, of TAP; tests within tests stand further right.
const failedIn = tap => [...tap.matchAll(/^not ok \d+ - (.*)/gm)].map(([, name]) => name.replace(/ # time=.*/, ''));
// What a test says of itself: how fast it was, or why it is skipped.
const remarksIn = tap =>
  tap
    .split('\n')
    .filter(line => /^ok .*# SKIP/.test(line) || (/^# /.test(line) && !/^# (Subtest|tests|suites|pass|fail|cancelled|skipped|todo|duration_ms)/.test(line)))
    .join('\n');

function runFile(name) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--test-reporter=tap', name], { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk));
    const late = setTimeout(() => child.kill('SIGKILL'), HANGS_AFTER_MS);
    child.on('close', code => {
      clearTimeout(late);
      if (code === 0) return resolve({ failed: [], said: remarksIn(said) });
      const failed = failedIn(said);
      resolve({ failed: failed.length > 0 ? failed : [`ended with ${code}`], said });
    });
  });
}

const rank = name => {
  const at = LONG.findIndex(long => name.endsWith(`/${long}.test.mjs`));
  return at < 0 ? LONG.length : at;
};
const names = ['browser', 'cli']
  .flatMap(folder => readdirSync(here + folder).map(name => `${folder}/${name}`))
  .filter(name => name.endsWith('.test.mjs') && process.argv.slice(2).every(word => name.includes(word)))
  .sort((a, b) => rank(a) - rank(b));
const isGood = await runTwice(names.map(name => ({ name, run: () => runFile(name) })));
process.exit(isGood ? 0 : 1);
