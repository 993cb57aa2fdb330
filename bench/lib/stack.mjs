// Starts the simulator and the server for a benchmark, signs a person in and connects the mailbox, all over HTTP.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, existsSync, rmSync, createWriteStream, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const OWNER = 'owner@example.com'
const CLIENT = { id: 'latchkey-bench.apps.example.com', secret: 'latchkey-bench-client' }

/** Waits for a ready file; fails when the program ends first. */
async function ready(file, child, what, seconds = 600) {
  for (let tries = 0; tries < seconds * 20; tries += 1) {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
    if (child.exitCode !== null) throw new Error(`${what} ended with status ${child.exitCode}`)
    await sleep(50)
  }
  throw new Error(`${what} did not get ready`)
}

/** CPU seconds so far, peak and present resident memory in MB. */
export function usageOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1])
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, peakMb: kb('VmHWM') / 1024, residentMb: kb('VmRSS') / 1024 }
}

export class Stack {
  constructor(build) {
    this.build = build
    this.dir = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
    this.children = []
  }

  path(name) {
    return join(this.dir, name)
  }

  start(program, args, options = {}) {
    const log = createWriteStream(this.path(`${program.split('/').pop()}.log`))
    const child = spawn(join(this.build, program), args, { stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } })
    child.stdout.pipe(log)
    child.stderr.pipe(log)
    this.children.push(child)
    return child
  }

  /** `others`: more mailboxes, as address and number of messages. */
  async startSimulator(count, others = {}) {
    const more = Object.entries(others).flatMap(([address, messages]) => {
      const file = this.path(`${address}.jsonl`)
      writeFileSync(file, execFileSync(join(this.build, 'bench/bench_mailbox'), [String(messages)], { maxBuffer: 1 << 28 }))
      return ['--mailbox', `${address}=${file}`]
    })
    const mailbox = spawn(join(this.build, 'bench/bench_mailbox'), [String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const simulator = this.start(
      'simulator/latchkey-simulator',
      ['--listen', '127.0.0.1:0', '--tls-listen', 'localhost:0', '--tls-dir', this.path('tls'), '--ready-file', this.path('simulator.json'),
        '--client-id', CLIENT.id, '--client-secret', CLIENT.secret, '--account', `${OWNER}=Bench Owner`, '--mailbox', `${OWNER}=-`, ...more, '--no-quota', '--quiet'],
      { stdin: mailbox.stdout },
    )
    this.simulator = await ready(this.path('simulator.json'), simulator, 'the simulator')
    return this.simulator
  }

  async control(path, body, method = 'POST') {
    const answer = await fetch(this.simulator.http + path, { method, body: body === undefined ? undefined : JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  approve(url, account = OWNER) {
    return this.control('/control/google/authorize', { url, account, decision: 'approve' })
  }

  /** An access token got without Latchkey, for the floor program. */
  async accessToken() {
    const google = `${this.simulator.http}/google`
    const redirect = 'http://127.0.0.1:1/callback'
    const query = new URLSearchParams({ client_id: CLIENT.id, redirect_uri: redirect, response_type: 'code', access_type: 'offline',
      scope: 'openid email https://www.googleapis.com/auth/gmail.readonly', prompt: 'consent' })
    const { location } = await this.approve(`${google}/o/oauth2/v2/auth?${query}`)
    const form = new URLSearchParams({ grant_type: 'authorization_code', code: new URL(location).searchParams.get('code'), redirect_uri: redirect,
      client_id: CLIENT.id, client_secret: CLIENT.secret })
    const answer = await fetch(`${google}/token`, { method: 'POST', body: form })
    return (await answer.json()).access_token
  }

  async startServer(env = {}) {
    rmSync(this.path('server.json'), { force: true })
    this.server = this.start('src/app/latchkey', ['--ready-file', this.path('server.json')], {
      env: {
        LATCHKEY_LISTEN: '127.0.0.1:0', LATCHKEY_DATA_DIR: this.path('data'), LATCHKEY_CA_FILE: this.simulator.ca, LATCHKEY_LOG_LEVEL: 'warning',
        AUTH_GOOGLE_CLIENT_ID: CLIENT.id, AUTH_GOOGLE_CLIENT_SECRET: CLIENT.secret, GOOGLE_QUOTA_UNITS_PER_MINUTE: '0', GOOGLE_PROJECT_QUOTA_UNITS_PER_MINUTE: '0',
        GOOGLE_DISCOVERY_URL: `${this.simulator.https}/google/.well-known/openid-configuration`, GOOGLE_GMAIL_URL: this.simulator.https, ...env,
      },
    })
    this.url = (await ready(this.path('server.json'), this.server, 'the server')).url
    this.cookies = new Map()
    return this.url
  }

  /** One request as a browser of our own origin would make it. */
  async request(path, { method = 'GET', body } = {}) {
    const headers = { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '), 'sec-fetch-site': 'same-origin' }
    if (method !== 'GET') Object.assign(headers, { 'content-type': 'application/json', 'x-csrf-token': this.csrf })
    const answer = await fetch(new URL(path, this.url), { method, headers, redirect: 'manual', body: body === undefined ? undefined : JSON.stringify(body) })
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  async json(path, options) {
    const answer = await this.request(path, options)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  /** Follows our redirect to the provider and comes back with its answer. */
  async through(answer, account) {
    const { location } = await this.approve(answer.headers.get('location'), account)
    const back = new URL(location)
    return this.request(back.pathname + back.search)
  }

  async signIn() {
    await this.through(await this.request('/auth/login/google'))
    this.csrf = (await this.json('/auth/session')).csrfToken
  }

  /** Connects the mailbox and returns the connection's id. */
  async connect(account = OWNER) {
    const attempt = await this.json('/api/v1/connect-attempts', { method: 'POST', body: { provider: 'google', capabilities: ['read_mail'], mode: 'page' } })
    const step = await this.request(attempt.url)
    await this.through(step, account)
    const { items } = await this.json('/api/v1/connected-accounts')
    return items.find((item) => item.email === account).id
  }

  stop() {
    for (const child of this.children) child.kill('SIGTERM')
    return Promise.all(this.children.map((child) => child.exitCode !== null || new Promise((done) => child.once('exit', done)))).then(() => rmSync(this.dir, { recursive: true, force: true }))
  }
}

export function options(argv, defaults) {
  const out = { ...defaults }
  for (let i = 0; i < argv.length; i += 1) {
    if (argv[i] === '--json') out.json = true
    else if (argv[i] === '--count') out.count = Number(argv[(i += 1)])
    else throw new Error(`unknown option ${argv[i]}; there are --json and --count N`)
  }
  return out
}

/** Prints rows as an aligned table, or one JSON object a line. */
export function print(rows, json) {
  if (json) return rows.forEach((row) => console.log(JSON.stringify(row)))
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cell = (value) => (value === undefined ? '' : typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value))
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => cell(row[name]).length)))
  console.log(names.map((name, i) => name.padEnd(widths[i])).join('  '))
  for (const row of rows) console.log(names.map((name, i) => cell(row[name]).padStart(widths[i])).join('  '))
}
