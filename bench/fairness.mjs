// New mail of a small mailbox: how long until it can be read, alone and beside the import of a very large one.
// usage: fairness.mjs BUILD_DIR [--count N] [--json]      N: messages of the large mailbox
import { setTimeout as sleep } from 'node:timers/promises'
import { OWNER, Stack, options, print, usageOf } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 1_000_000, json: false })
const SMALL = 'small@example.com'
const ROUNDS = 60

const of = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** Milliseconds from the arrival at the provider until the list of the inbox shows it; the provider's hint comes at once. */
async function arrival(stack, account, round) {
  const subject = `Arrival ${round}`
  await stack.control(`/control/mail/${SMALL}/messages`, { from: 'Ilse Brandt <ilse.brandt@example.org>', to: SMALL, subject, text: 'Is it there yet?' })
  const began = performance.now()
  await stack.request(`/api/v1/connected-accounts/${account}/sync`, { method: 'POST' })
  for (;;) {
    const { items } = await stack.json(`/api/v1/messages?account=${account}&limit=1`)
    if (items[0]?.subject === subject) return performance.now() - began
    if (performance.now() - began > 60_000) throw new Error(`"${subject}" did not arrive within a minute`)
    await sleep(5)
  }
}

async function arrivals(stack, account, label) {
  const times = []
  for (let round = 0; round < ROUNDS; round += 1) times.push(await arrival(stack, account, `${label} ${round}`))
  times.sort((a, b) => a - b)
  return { run: label, arrivals: ROUNDS, median_ms: of(times, 0.5), p90_ms: of(times, 0.9), worst_ms: times.at(-1) }
}

async function until(stack, id, condition) {
  for (;;) {
    const account = await stack.json(`/api/v1/connected-accounts/${id}`)
    if (condition(account)) return account
    if (['error', 'needs_reauth'].includes(account.status)) throw new Error(`sync stopped: ${JSON.stringify(account)}`)
    await sleep(50)
  }
}

const stack = new Stack(build)
try {
  await stack.startSimulator(count, { [SMALL]: 200 })
  await stack.startServer()
  await stack.signIn()
  const small = await stack.connect(SMALL)
  await until(stack, small, (account) => ['healthy', 'syncing'].includes(account.status) && account.message_count >= 200)
  const alone = await arrivals(stack, small, 'alone')
  const began = performance.now()
  const large = await stack.connect(OWNER)
  await until(stack, large, (account) => account.message_count >= Math.min(1000, count / 10))
  const beside = await arrivals(stack, small, 'beside_import')
  const during = await stack.json(`/api/v1/connected-accounts/${large}`)
  if (during.status !== 'importing') throw new Error(`the import of ${count} messages ended before the measurement: use a larger --count`)
  await until(stack, large, (account) => ['healthy', 'syncing'].includes(account.status) && account.message_count >= count)
  const seconds = (performance.now() - began) / 1000
  const rows = [alone, { ...beside, ratio_to_alone: beside.median_ms / alone.median_ms, ratio_p90: beside.p90_ms / alone.p90_ms },
    { run: 'import', messages: count, seconds, messages_per_second: count / seconds, peak_mb: usageOf(stack.server.pid).peakMb }]
  print(rows, json)
} finally {
  await stack.stop()
}
