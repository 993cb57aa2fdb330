// What connected accounts cost that are not due: a tick of the scheduler, a claim and a finish while the same ten of 10,
// 1,000, 100,000 and 1,000,000 accounts are due; then the server's memory with 10,000 connected accounts at rest, and
// how long after a restart all of 10,000 due ones are scheduled.
// usage: scale.mjs BUILD_DIR [--count N] [--json]; --count is the largest number of accounts. LATCHKEY_TEST_POSTGRES as for queue.mjs
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { options, print, usageOf } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 1_000_000, json: false })
const run = promisify(execFile)
const server = process.env.LATCHKEY_TEST_POSTGRES
const dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-scale-'))
const DUE = 10
const ROUNDS = 50

const say = (text) => process.stderr.write(`${text}\n`)
const scale = (...words) => run(join(build, 'bench/bench_scale'), words.map(String), { timeout: 1_800_000 })

let databases = 0
const fresh = {
  sqlite: () => `sqlite:${join(dir, `scale-${(databases += 1)}.db`)}`,
  postgresql: () => {
    const name = `scale_${(databases += 1)}`
    execFileSync('psql', ['-q', server, '-c', `CREATE DATABASE ${name}`])
    return server.replace(/\/postgres$/, `/${name}`)
  },
}
const drop = {
  sqlite: (url) => ['', '-wal', '-shm', '.lock'].forEach((end) => rmSync(url.slice(7) + end, { force: true })),
  postgresql: (url) => execFileSync('psql', ['-q', server, '-c', `DROP DATABASE ${url.split('/').pop()} WITH (FORCE)`]),
}

async function costs(engine) {
  const rows = []
  for (const accounts of [10, 1_000, 100_000, 1_000_000].filter((n) => n <= count)) {
    say(`${engine}: ${accounts} accounts`)
    const url = fresh[engine]()
    await scale('fill', url, accounts, DUE)
    const { stdout } = await scale('measure', url, DUE, ROUNDS)
    rows.push({ engine, accounts, due: DUE, ...JSON.parse(stdout.trim().split('\n').pop()) })
    drop[engine](url)
  }
  for (const row of rows) row.tick_to_smallest = row.tick_us / rows[0].tick_us
  for (const row of rows) row.claim_to_smallest = row.claim_us / rows[0].claim_us
  return rows
}

async function start(url, name, settings) {
  const ready = join(dir, `${name}.json`)
  const child = spawn(join(build, 'src/app/latchkey'), ['serve'], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, DATABASE_URL: url, LATCHKEY_LISTEN: '127.0.0.1:0', LATCHKEY_DATA_DIR: join(dir, name), LATCHKEY_READY_FILE: ready, ...settings },
  })
  while (!existsSync(ready)) {
    if (child.exitCode !== null) throw new Error(`the server ended with status ${child.exitCode}`)
    await sleep(10)
  }
  return child
}

async function server10k(engine) {
  const accounts = Math.min(10_000, count)
  say(`${engine}: the server with ${accounts} accounts`)
  const atRest = fresh[engine]()
  await scale('fill', atRest, accounts, 1)
  const empty = fresh[engine]()
  const memory = {}
  for (const [name, url] of [['empty', empty], ['full', atRest]]) {
    const child = await start(url, `${engine}-${name}`, { LATCHKEY_POLL_SECONDS: '3600' })
    await sleep(5_000)
    memory[name] = usageOf(child.pid).residentMb
    child.kill('SIGTERM')
    await new Promise((done) => child.once('exit', done))
  }
  const due = fresh[engine]()
  await scale('fill', due, accounts, accounts)
  const began = performance.now()
  const child = await start(due, `${engine}-restart`, { LATCHKEY_POLL_SECONDS: '3600' })
  const readySeconds = (performance.now() - began) / 1000
  const left = async () => {
    const sql = engine === 'sqlite' ? 'SELECT count(*) FROM email_sync_status WHERE next_sync_at <= unixepoch() * 1000000' : 'SELECT count(*) FROM email_sync_status WHERE next_sync_at <= now()'
    if (engine === 'postgresql') return Number(execFileSync('psql', ['-At', due, '-c', sql]).toString())
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(due.slice(7), { readOnly: true })
    const [row] = database.prepare(sql).all()
    database.close()
    return Object.values(row)[0]
  }
  while ((await left()) > 0) await sleep(50)
  const scheduledSeconds = (performance.now() - began) / 1000
  child.kill('SIGTERM')
  await new Promise((done) => child.once('exit', done))
  return { engine, accounts, empty_mb: memory.empty, at_rest_mb: memory.full, ready_seconds: readySeconds, all_scheduled_seconds: scheduledSeconds }
}

try {
  const engines = server ? ['sqlite', 'postgresql'] : ['sqlite']
  const rows = []
  for (const engine of engines) rows.push(...(await costs(engine)))
  print(rows, json)
  if (!json) console.log()
  const servers = []
  for (const engine of engines) servers.push(await server10k(engine))
  print(servers, json)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
