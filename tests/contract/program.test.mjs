// The program itself: its files, its signals, and its words when something is wrong.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { authorize, base, clientId, clientSecret, newClient, newPerson, redirectUri, scopes, signIn } from './simulator.mjs'

const program = process.env.LATCHKEY_SIMULATOR_PROGRAM
const folder = mkdtempSync(join(tmpdir(), 'latchkey-program-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs to the end and returns status and everything it said. */
async function run(...options) {
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data))
  const [status] = await once(child, 'close')
  return { status, said }
}

/** Starts a simulator of the test's own; stop() ends it and returns its status. */
async function start(t, name, ...options) {
  const file = join(folder, `${name}-ready.json`)
  rmSync(file, { force: true })
  const child = spawn(program, ['--listen', '127.0.0.1:0', '--ready-file', file, '--quiet', ...options], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  while (!existsSync(file)) {
    assert.equal(child.exitCode, null, 'the simulator ended early')
    await wait(20)
  }
  const stop = async () => {
    child.kill('SIGTERM')
    return (await ended)[0]
  }
  return { addresses: JSON.parse(readFileSync(file, 'utf8')), stop }
}

test('a port that is taken is named, with what to do', async () => {
  const { status, said } = await run('--listen', new URL(base).host, '--account', 'a@example.com')
  assert.equal(status, 1)
  assert.match(said, /cannot listen on 127\.0\.0\.1:\d+ .*choose another port/)
})

test('a mailbox file that is missing is named', async () => {
  const { status, said } = await run('--listen', '127.0.0.1:0', '--mailbox', 'a@example.com=/nowhere/mail.mbox')
  assert.equal(status, 1)
  assert.match(said, /\/nowhere\/mail\.mbox/)
})

test('wrong options end with status 2 and the option', async () => {
  for (const [option, ...rest] of [['--listen', '8025'], ['--account', 'nobody'], ['--mailbox', 'a@example.com'], ['--nonsense']]) {
    const { status, said } = await run(option, ...rest)
    assert.equal(status, 2)
    assert.ok(said.includes(option), said)
  }
})

test('files that cannot be written or read are named', async () => {
  const ready = await run('--listen', '127.0.0.1:0', '--account', 'a@example.com', '--ready-file', '/nowhere/ready.json')
  assert.equal(ready.status, 1)
  assert.match(ready.said, /cannot write \/nowhere\/ready\.json\. Choose/)
  const state = join(folder, 'odd-state.json')
  writeFileSync(state, 'odd')
  const odd = await run('--listen', '127.0.0.1:0', '--account', 'a@example.com', '--state', state)
  assert.equal(odd.status, 1)
  assert.match(odd.said, /is not a state file/)
})

test('HTTP/2 over TLS under its own authority, for Node as well', async () => {
  const session = connect(process.env.LATCHKEY_SIMULATOR_TLS)
  const stream = session.request({ ':path': '/google/.well-known/openid-configuration' })
  let body = ''
  stream.setEncoding('utf8').on('data', (data) => (body += data))
  await once(stream, 'end')
  session.close()
  assert.equal(JSON.parse(body).issuer, `${process.env.LATCHKEY_SIMULATOR_TLS}/google`)
})

test('a kept state lets a client go on after a restart', async (t) => {
  const state = join(folder, 'state.json')
  const options = ['--account', 'ada@example.com', '--state', state]
  const first = await start(t, 'state', ...options)
  const url = new URL(`${first.addresses.http}/google/o/oauth2/v2/auth`)
  url.search = new URLSearchParams({
    response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: scopes.read, access_type: 'offline',
  })
  const answer = await fetch(`${first.addresses.http}/control/google/authorize`, {
    method: 'POST', body: JSON.stringify({ url: url.href, account: 'ada@example.com' }),
  })
  const code = new URL((await answer.json()).location).searchParams.get('code')
  const token = async (addresses, form) => {
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...form })
    return (await fetch(`${addresses.http}/google/token`, { method: 'POST', body })).json()
  }
  const tokens = await token(first.addresses, { grant_type: 'authorization_code', code, redirect_uri: redirectUri })
  assert.equal(await first.stop(), 0)
  assert.equal(statSync(state).mode & 0o777, 0o600)

  const second = await start(t, 'state', ...options)
  const refreshed = await token(second.addresses, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  assert.equal(refreshed.scope, scopes.read)
  assert.equal(await second.stop(), 0)
})

test('the consent of one person says nothing about another', async () => {
  const [one, other] = [await newPerson(), await newPerson()]
  const client = await signIn(one.email, [scopes.read])
  const query = await authorize(newClient().generateAuthUrl({ scope: [scopes.read], access_type: 'offline' }), other.email)
  const { tokens } = await newClient().getToken(query.get('code'))
  assert.ok(tokens.refresh_token, 'a first grant gives a refresh token')
  await client.revokeToken(client.credentials.refresh_token)
  const profile = await fetch(`${base}/gmail/v1/users/me/profile`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal((await profile.json()).emailAddress, other.email)
})
