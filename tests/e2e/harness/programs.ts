import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program that runs for one test: started on a free port, stopped by SIGTERM. */
export class Program<Ready> {
  private constructor(
    readonly ready: Ready,
    readonly log: string,
    private readonly child: ChildProcess,
    private readonly exit: Promise<number | string>,
  ) {}

  /** Starts `path` and waits until it has written its ready file. */
  static async start<Ready>(
    path: string,
    args: string[],
    directory: string,
    name: string,
    env: Record<string, string> = {},
  ): Promise<Program<Ready>> {
    const readyFile = join(directory, `${name}.ready.json`);
    const log = join(directory, `${name}.log`);
    const child = spawn(path, [...args, '--ready-file', readyFile], {
      env: { ...inherited(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const sink = createWriteStream(log);
    child.stdout.pipe(sink, { end: false });
    child.stderr.pipe(sink, { end: false });
    const exit = new Promise<number | string>((resolve) => {
      child.on('error', (error) => resolve(String(error)));
      child.on('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    const ready = await Promise.race([
      written(readyFile, directory),
      exit.then((code) =>
        Promise.reject(new Error(`${name} ended with ${code} before it was ready: ${tail(log)}`)),
      ),
      new Promise<never>((_, reject) => {
        setTimeout(
          () => reject(new Error(`${name} did not get ready within 60 s: ${tail(log)}`)),
          60_000,
        ).unref();
      }),
    ]);
    return new Program<Ready>(JSON.parse(ready) as Ready, log, child, exit);
  }

  /** How it ended; 0 is an orderly end. */
  async stop(): Promise<number | string> {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    const code = await this.exit;
    clearTimeout(timer);
    return code;
  }
}

function written(file: string, directory: string): Promise<string> {
  return new Promise((resolve) => {
    const look = () => {
      if (!existsSync(file)) return;
      const text = readFileSync(file, 'utf8');
      if (text.trim() === '') return;
      watcher.close();
      resolve(text);
    };
    const watcher = watch(directory, look);
    look();
  });
}

/** Settings of whoever runs the tests must not become settings of the server. */
function inherited(): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'LANG',
    'ASAN_OPTIONS',
    'UBSAN_OPTIONS',
    'TSAN_OPTIONS',
    'LD_LIBRARY_PATH',
  ];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function tail(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8').slice(-2_000) : '';
}

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-e2e-'));
  mkdirSync(join(path, 'data'), { mode: 0o700 });
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
