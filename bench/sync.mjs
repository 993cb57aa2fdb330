// The first import of a mailbox: Latchkey next to the floor program, then both again with 50 ms of provider latency.
// usage: sync.mjs BUILD_DIR [--count N] [--json]
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { OWNER, Stack, options, print, usageOf } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 20_000, json: false })
const run = promisify(execFile)

async function floor(stack, label) {
  const { stdout } = await run(join(build, 'bench/bench_floor'), [stack.simulator.https, stack.simulator.ca, await stack.accessToken(), stack.path(`floor-${label}.db`)])
  const result = JSON.parse(stdout)
  return { run: label, program: 'floor', messages: result.messages, seconds: result.seconds, messages_per_second: result.messages / result.seconds,
    cpu_seconds_per_1000: (result.cpu_seconds / result.messages) * 1000, peak_mb: result.peak_kb / 1024 }
}

async function latchkey(stack, label) {
  // As many requests in flight as the floor program has.
  await stack.startServer({ LATCHKEY_DATA_DIR: stack.path(`data-${label}`), GOOGLE_MAX_CONCURRENCY: '64' })
  await stack.signIn()
  const before = usageOf(stack.server.pid)
  const began = performance.now()
  const id = await stack.connect()
  let first = 0
  for (;;) {
    const account = await stack.json(`/api/v1/connected-accounts/${id}`)
    if (first === 0 && account.message_count >= 100) first = (performance.now() - began) / 1000
    if (['healthy', 'syncing'].includes(account.status) && account.message_count >= count) break
    if (account.status === 'error' || account.status === 'needs_reauth') throw new Error(`sync stopped: ${JSON.stringify(account)}`)
    await sleep(50)
  }
  const seconds = (performance.now() - began) / 1000
  const after = usageOf(stack.server.pid)
  stack.server.kill('SIGTERM')
  return { run: label, program: 'latchkey', messages: count, seconds, messages_per_second: count / seconds,
    cpu_seconds_per_1000: ((after.cpu - before.cpu) / count) * 1000, peak_mb: after.peakMb, first_100_seconds: first }
}

const stack = new Stack(build)
try {
  await stack.startSimulator(count)
  const rows = []
  for (const label of ['direct', 'latency_50ms']) {
    if (label === 'latency_50ms') await stack.control('/control/faults', { kind: 'latency', path: '/gmail/**', milliseconds: 50, account: OWNER })
    const base = await floor(stack, label)
    const ours = await latchkey(stack, label)
    rows.push(base, { ...ours, ratio_to_floor: ours.messages_per_second / base.messages_per_second })
  }
  print(rows, json)
} finally {
  await stack.stop()
}
