// Runs the journeys: node run.mjs --server PATH --simulator PATH [words for Playwright].
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const programs = {};
const rest = [];
const words = process.argv.slice(2);
while (words.length > 0) {
  const word = words.shift();
  if (word === '--server' || word === '--simulator') programs[word.slice(2)] = resolve(words.shift() ?? '');
  else rest.push(word);
}
for (const name of ['server', 'simulator']) {
  try {
    accessSync(programs[name] ?? '', constants.X_OK);
  } catch {
    console.error(
      `${programs[name] ?? `--${name}`} is not a program. Build first: ./dev e2e does, or name it: --${name} PATH`,
    );
    process.exit(2);
  }
}

const child = spawn(process.execPath, ['node_modules/@playwright/test/cli.js', 'test', ...rest], {
  cwd: here,
  stdio: 'inherit',
  env: { ...process.env, E2E_SERVER: programs.server, E2E_SIMULATOR: programs.simulator },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
