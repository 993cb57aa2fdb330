// The authenticated 50-row message list next to /health and next to a bare Beast server with one query, as requests per CPU second of
// the serving process. One keep-alive connection each way of asking, eight at a time.
// usage: http.mjs BUILD_DIR [--count REQUESTS] [--json]
import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Stack, options, print, usageOf } from './lib/stack.mjs'

const build = process.argv[2]
const { count, json } = options(process.argv.slice(3), { count: 20_000, json: false })

/** Sends `total` GETs over eight keep-alive connections. */
async function hammer(url, headers, total) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let sent = 0
  let bytes = 0
  const one = () =>
    new Promise((done, fail) => {
      const call = request(url, { agent, headers }, (answer) => {
        if (answer.statusCode !== 200) return fail(new Error(`${url}: status ${answer.statusCode}`))
        answer.on('data', (chunk) => (bytes += chunk.length))
        answer.on('end', done)
      })
      call.on('error', fail)
      call.end()
    })
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (sent++ < total) await one()
  }))
  agent.destroy()
  return bytes
}

async function measure(name, url, headers, pid) {
  await hammer(url, headers, Math.min(1000, count))
  const before = usageOf(pid)
  const began = performance.now()
  const bytes = await hammer(url, headers, count)
  const cpu = usageOf(pid).cpu - before.cpu
  return { request: name, requests: count, seconds: (performance.now() - began) / 1000, requests_per_cpu_second: count / cpu, bytes_each: Math.round(bytes / count) }
}

const stack = new Stack(build)
try {
  await stack.startSimulator(2000)
  await stack.startServer()
  await stack.signIn()
  const id = await stack.connect()
  while ((await stack.json(`/api/v1/connected-accounts/${id}`)).message_count < 2000) await sleep(50)
  const floor = spawn(join(build, 'bench/bench_http_floor'), [stack.path('floor.db')], { stdio: ['ignore', 'pipe', 'inherit'] })
  stack.children.push(floor)
  const port = Number(String(await new Promise((done) => floor.stdout.once('data', done))))
  const cookie = [...stack.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const bare = await measure('bare Beast, one query', `http://127.0.0.1:${port}/list`, {}, floor.pid)
  const rows = [bare]
  for (const [name, path, headers] of [['/health', '/health', {}], ['/api/v1/messages?limit=50', '/api/v1/messages?limit=50', { cookie, 'sec-fetch-site': 'same-origin' }]]) {
    const row = await measure(name, new URL(path, stack.url), headers, stack.server.pid)
    rows.push({ ...row, ratio_to_bare: row.requests_per_cpu_second / bare.requests_per_cpu_second })
  }
  print(rows, json)
} finally {
  await stack.stop()
}
