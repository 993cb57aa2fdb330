// The peers' job queues, each measured in a process of its own.
// usage: node peers.mjs PEER URL COUNT; prints one line of JSON: jobs per second of `count` no-op jobs that were waiting
// when the worker started, and the time from one enqueue on an idle queue to the start of its handler.
import { setTimeout as sleep } from 'node:timers/promises'

const SAMPLES = 200
const BULK = 1000

const chunks = function* (count) {
  for (let from = 0; from < count; from += BULK) yield Math.min(BULK, count - from)
}

/** Counts handled jobs; `all` resolves at the expected number. */
class Counter {
  handled = 0
  expect(count) {
    this.handled = 0
    return new Promise((resolve) => (this.done = { count, resolve }))
  }
  hit() {
    this.handled += 1
    if (this.handled === this.done?.count) this.done.resolve()
  }
}

async function graphile(url, count, tuned) {
  const { run, makeWorkerUtils } = await import('graphile-worker')
  const quiet = new (await import('graphile-worker')).Logger(() => () => {})
  const utils = await makeWorkerUtils({ connectionString: url, logger: quiet })
  await utils.migrate()
  const counter = new Counter()
  const taskList = { noop: () => counter.hit() }
  for (const n of chunks(count)) await utils.addJobs(Array.from({ length: n }, () => ({ identifier: 'noop', payload: {} })))
  // As its performance guide sets them; otherwise what it does by default.
  const worker = tuned
    ? { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
    : {}
  const all = counter.expect(count)
  const began = performance.now()
  const runner = await run({ preset: { worker: { connectionString: url, logger: quiet, ...worker } }, taskList, noHandleSignals: true })
  await all
  const seconds = (performance.now() - began) / 1000
  const latency = await latencies(counter, () => utils.addJob('noop', {}))
  await runner.stop()
  await utils.release()
  return { seconds, latency }
}

async function pgBoss(url, count, tuned) {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({ connectionString: url, useListenNotify: tuned, supervise: false, schedule: false })
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue('noop', tuned ? { notify: true } : {})
  const counter = new Counter()
  for (const n of chunks(count)) await boss.insert('noop', Array.from({ length: n }, () => ({ data: {} })))
  const all = counter.expect(count)
  const began = performance.now()
  const options = tuned ? { batchSize: 500, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true } : {}
  await boss.work('noop', options, async (jobs) => {
    for (const _ of jobs) counter.hit()
  })
  await Promise.race([all, sleep(60_000, undefined, { ref: false })])
  const seconds = (performance.now() - began) / 1000
  const handled = counter.handled
  // With a backlog left behind there is no idle queue to measure on.
  const latency = handled === count ? await latencies(counter, () => boss.send('noop', {}), tuned ? SAMPLES : 10) : []
  await boss.stop({ graceful: false })
  return { seconds, latency, handled }
}

async function bullmq(url, count, tuned) {
  const { Queue, Worker } = await import('bullmq')
  const connection = { url, maxRetriesPerRequest: null }
  const queue = new Queue('noop', { connection })
  await queue.waitUntilReady()
  const counter = new Counter()
  for (const n of chunks(count)) await queue.addBulk(Array.from({ length: n }, () => ({ name: 'noop', data: {} })))
  const all = counter.expect(count)
  const began = performance.now()
  const worker = new Worker('noop', async () => counter.hit(), { connection, ...(tuned ? { concurrency: 100 } : {}) })
  await all
  const seconds = (performance.now() - began) / 1000
  const latency = await latencies(counter, () => queue.add('noop', {}))
  await worker.close()
  await queue.close()
  return { seconds, latency }
}

async function latencies(counter, enqueue, samples = SAMPLES) {
  await sleep(500)
  const found = []
  for (let i = 0; i < samples; i += 1) {
    const started = counter.expect(1)
    const began = performance.now()
    await Promise.all([started.then(() => found.push(performance.now() - began)), enqueue()])
    await sleep(2)
  }
  return found
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]

const peers = {
  'graphile-worker': (url, count) => graphile(url, count, false),
  'graphile-worker-tuned': (url, count) => graphile(url, count, true),
  'pg-boss': (url, count) => pgBoss(url, count, false),
  'pg-boss-tuned': (url, count) => pgBoss(url, count, true),
  bullmq: (url, count) => bullmq(url, count, false),
  'bullmq-tuned': (url, count) => bullmq(url, count, true),
}

const [name, url, count] = process.argv.slice(2)
const { seconds, latency, handled } = await peers[name](url, Number(count))
latency.sort((a, b) => a - b)
console.log(JSON.stringify({ jobs: handled ?? Number(count), seconds, p50_ms: at(latency, 0.5), p99_ms: at(latency, 0.99) }))
process.exit(0)
