// New mail of a small mailbox: how long until it can be read, alone and beside the import of a very large one; and what
// the import costs in memory, which has to stay the same however large the mailbox is.
// usage: fairness.mjs BUILD_DIR [--count N] [--json]      N: messages of the large mailbox
import { setTimeout as sleep } from 'node:timers/promises'
import { OWNER, Stack, options, print, usageOf } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 1_000_000, json: false })
const SMALL = 'small@example.com'
const ARRIVALS = 60
/** Fewer beside the import say nothing about a median. */
const FEWEST = 10

const of = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** Milliseconds from the provider's hint until the list of the inbox shows the mail that arrived there. */
async function arrival(stack, account, subject) {
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

const statusOf = (stack, id) => stack.json(`/api/v1/connected-accounts/${id}`)

/** `beside`: an account whose import has to be going on when each of them arrives. Pauses between them spread the arrivals over the import. */
async function arrivals(stack, account, label, beside) {
  const times = []
  for (let round = 0; round < ARRIVALS; round += 1) {
    const time = await arrival(stack, account, `Arrival ${label} ${round}`)
    if (beside && (await statusOf(stack, beside)).status !== 'importing') break
    times.push(time)
    await sleep(beside ? Math.min(5000, count / 500) : 40)
  }
  if (times.length < FEWEST) throw new Error(`the import of ${count} messages ended before ${FEWEST} mails had arrived beside it: use a larger --count`)
  times.sort((a, b) => a - b)
  return { run: label, arrivals: times.length, median_ms: of(times, 0.5), p90_ms: of(times, 0.9), worst_ms: times.at(-1) }
}

async function until(stack, id, condition) {
  for (;;) {
    const account = await statusOf(stack, id)
    if (condition(account)) return account
    if (['error', 'needs_reauth'].includes(account.status)) throw new Error(`sync stopped: ${JSON.stringify(account)}`)
    await sleep(50)
  }
}

const imported = (messages) => (account) => ['healthy', 'syncing'].includes(account.status) && account.message_count >= messages

const stack = new Stack(build)
try {
  await stack.startSimulator(count, { [SMALL]: 200 })
  const simulatorBefore = usageOf(stack.simulator.pid)
  await stack.startServer()
  await stack.signIn()
  const small = await stack.connect(SMALL)
  await until(stack, small, imported(200))
  const alone = await arrivals(stack, small, 'alone')
  const serverBefore = usageOf(stack.server.pid)
  const began = performance.now()
  const large = await stack.connect(OWNER)
  await until(stack, large, (account) => account.status === 'importing' && account.message_count >= Math.min(1000, count / 20))
  const beside = await arrivals(stack, small, 'beside_import', large)
  const { message_count: stored } = await until(stack, large, imported(count))
  const seconds = (performance.now() - began) / 1000
  if (stored !== count) throw new Error(`${stored} messages are stored, the mailbox holds ${count}`)
  print([alone, { ...beside, ratio_to_alone: beside.median_ms / alone.median_ms, ratio_p90: beside.p90_ms / alone.p90_ms }], json)
  print([
    { run: 'server', messages: stored, seconds, messages_per_second: count / seconds, before_mb: serverBefore.residentMb, peak_mb: usageOf(stack.server.pid).peakMb },
    { run: 'simulator', messages: count, before_mb: simulatorBefore.residentMb, peak_mb: usageOf(stack.simulator.pid).peakMb },
  ], json)
} finally {
  await stack.stop()
}
