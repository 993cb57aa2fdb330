// usage: node run.mjs PATH_OF_LATCHKEY_SIMULATOR
// Starts the simulator on free ports, runs the test files of this folder against it, and stops it again.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
if (process.argv.length !== 3) {
  console.error('usage: node run.mjs PATH_OF_LATCHKEY_SIMULATOR')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'latchkey-contract-'))
const readyFile = join(folder, 'ready.json')
const simulator = spawn(
  resolve(process.argv[2]),
  ['--listen', '127.0.0.1:0', '--tls-listen', 'localhost:0', '--tls-dir', join(folder, 'tls'),
    '--account', 'ada@example.com=Ada Example', '--ready-file', readyFile, '--quiet'],
  { stdio: ['ignore', 'inherit', 'inherit'] },
)
const ended = once(simulator, 'exit')
simulator.on('error', (error) => {
  console.error(`cannot start ${process.argv[2]}: ${error.message}. Build the target latchkey-simulator first.`)
  process.exit(1)
})

async function ready() {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(20)) {
    if (simulator.exitCode !== null) throw new Error(`the simulator ended with status ${simulator.exitCode}`)
    try {
      return JSON.parse(readFileSync(readyFile, 'utf8'))
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  throw new Error('the simulator was not ready within a minute')
}

let status = 1
try {
  const addresses = await ready()
  const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort().map((name) => join(here, name))
  const tests = spawn(process.execPath, ['--test', '--test-timeout=60000', '--test-reporter=spec', ...files], {
    stdio: 'inherit',
    env: {
      ...process.env, LATCHKEY_SIMULATOR: addresses.http, LATCHKEY_SIMULATOR_TLS: addresses.https,
      LATCHKEY_SIMULATOR_PROGRAM: resolve(process.argv[2]), NODE_EXTRA_CA_CERTS: addresses.ca,
    },
  })
  ;[status] = await once(tests, 'exit')
} catch (error) {
  console.error(error.message)
} finally {
  simulator.kill('SIGTERM')
  const [code, signal] = await ended
  if (code !== 0) {
    console.error(`the simulator did not end well: status ${code}, signal ${signal}`)
    status ||= 1
  }
  rmSync(folder, { recursive: true, force: true })
}
process.exit(status ?? 1)
