// No-op jobs per second and the time from enqueue to start: Latchkey's queue, the least such a queue costs on the same
// engine, and other queues, one after the other on one PostgreSQL and one Redis of their own.
// usage: queue.mjs BUILD_DIR [--count N] [--json]; needs LATCHKEY_TEST_POSTGRES (queue.sh starts it)
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { options, print } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 50_000, json: false })
const here = dirname(fileURLToPath(import.meta.url))
const server = process.env.LATCHKEY_TEST_POSTGRES
const run = promisify(execFile)
const dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-queue-'))

/** A new, empty database for each program. */
let databases = 0
function freshDatabase() {
  const name = `bench_${(databases += 1)}`
  execFileSync('psql', ['-q', server, '-c', `CREATE DATABASE ${name}`])
  return server.replace(/\/postgres$/, `/${name}`)
}

async function startRedis() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir], { stdio: 'ignore' })
  await sleep(500)
  return { url: `redis://127.0.0.1:${port}`, stop: () => redis.kill('SIGTERM') }
}

async function measure(engine, program, command, args, expected = count) {
  process.stderr.write(`${engine}: ${program}\n`)
  const { stdout } = await run(command, args, { cwd: join(here, 'queue'), timeout: 600_000 })
  const result = JSON.parse(stdout.trim().split('\n').pop())
  if (result.jobs > expected) throw new Error(`${program} handled ${result.jobs} of ${expected} jobs`)
  return { engine, program, jobs: result.jobs, jobs_per_second: result.jobs / result.seconds, p50_ms: result.p50_ms, p99_ms: result.p99_ms }
}

const ours = (engine, url) => measure(engine, 'latchkey', join(build, 'bench/bench_queue'), [url, String(count)])
const floor = (engine, url) => measure(engine, 'floor', join(build, 'bench/bench_queue_floor'), [url, String(count)])
const peer = (engine, name, url, jobs = count) => measure(engine, name, process.execPath, ['peers.mjs', name, url, String(jobs)], jobs)

const redis = await startRedis()
try {
  const rows = []
  rows.push(await floor('sqlite', `sqlite:${join(dir, 'floor.db')}`), await ours('sqlite', `sqlite:${join(dir, 'latchkey.db')}`))
  rows.push(await floor('postgresql', freshDatabase()), await ours('postgresql', freshDatabase()))
  rows.push(await peer('postgresql', 'graphile-worker-tuned', freshDatabase()), await peer('postgresql', 'graphile-worker', freshDatabase(), count / 5))
  // By default pg-boss takes one job every two seconds.
  rows.push(await peer('postgresql', 'pg-boss-tuned', freshDatabase()), await peer('postgresql', 'pg-boss', freshDatabase(), 10))
  rows.push(await peer('redis', 'bullmq-tuned', redis.url), await peer('redis', 'bullmq', redis.url))
  const of = (engine, program) => rows.find((row) => row.engine === engine && row.program === program).jobs_per_second
  const best = Math.max(...rows.filter((row) => !['floor', 'latchkey'].includes(row.program)).map((row) => row.jobs_per_second))
  for (const row of rows) row.ratio_to_floor = row.engine === 'redis' ? undefined : row.jobs_per_second / of(row.engine, 'floor')
  for (const row of rows) row.ratio_to_best_peer = row.jobs_per_second / best
  print(rows, json)
} finally {
  redis.stop()
  rmSync(dir, { recursive: true, force: true })
}
