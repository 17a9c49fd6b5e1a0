// What the shipped files are made of, and how large each may be.
import { readFileSync } from 'node:fs';

const here = new URL('./', import.meta.url);
const read = name => readFileSync(new URL(name, here), 'utf8');
const together = names => `(() => {\n${names.map(read).join('\n')}})();\n`;

// budget: bytes, gzipped
export const files = {
  'corong-core.js': { source: together(['core.js', 'start.js']), budget: 1500 },
  'corong.js': { source: together(['core.js', 'extras.js', 'start.js']), budget: 2500 },
  'corong-datalayer.js': { source: read('datalayer.js'), budget: 800 },
};
