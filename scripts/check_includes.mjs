// Data flows one way: base and engines know nothing of features, features know nothing of edges, only app names everything.
// usage: node scripts/check_includes.mjs ROOT
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = process.argv[2] ?? '.'

// What each folder of src/ may include, besides itself.
const engines = ['base', 'async', 'telemetry']
const allowed = {
  base: [],
  async: ['base', 'telemetry'],
  telemetry: ['base'],
  crypto: ['base', 'async'],
  limits: [...engines, 'crypto'],
  config: ['base', 'crypto', 'limits'],
  http: engines,
  http_client: engines,
  jobs: engines,
  events: engines,
  oauth: [...engines, 'http_client', 'crypto'],
  sync: [...engines, 'limits'],
  connected_accounts: [...engines, 'jobs', 'events', 'oauth', 'crypto', 'sync'],
  identity: [...engines, 'oauth', 'crypto'],
  mail: [...engines, 'sync', 'jobs', 'events'],
  calendar: [...engines, 'sync', 'jobs', 'events'],
  images: [...engines, 'http_client', 'crypto'],
  push: [...engines, 'mail', 'connected_accounts', 'oauth', 'crypto', 'http_client', 'jobs', 'events'],
  legacy: [...engines, 'connected_accounts', 'crypto', 'oauth', 'jobs'],
  audit: [...engines, 'mail', 'calendar', 'sync', 'jobs', 'events'],
  'providers/google': [...engines, 'push', 'mail', 'calendar', 'connected_accounts', 'sync', 'http_client', 'oauth', 'crypto'],
  'providers/microsoft': [...engines, 'limits', 'push', 'mail', 'calendar', 'connected_accounts', 'sync', 'http_client', 'oauth', 'crypto'],
  storage: [...engines, 'audit', 'legacy', 'push', 'mail', 'calendar', 'connected_accounts', 'identity', 'jobs', 'events', 'crypto', 'oauth', 'sync'],
  api: [...engines, 'audit', 'images', 'push', 'mail', 'calendar', 'connected_accounts', 'identity', 'jobs', 'events', 'http', 'crypto', 'oauth', 'sync', 'limits'],
  app: '*',
}

function folderOf(path) {
  const [first, second] = path.split('/')
  return first === 'providers' ? `${first}/${second}` : first
}

let problems = 0
function complain(text) {
  console.error(text)
  problems += 1
}

function walk(directory, visit) {
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) walk(path, visit)
    else if (/\.(cpp|hpp)$/.test(entry.name)) visit(path)
  }
}

walk('src', (path) => {
  const folder = folderOf(path.slice('src/'.length))
  const rule = allowed[folder]
  if (rule === undefined) return complain(`${path}: folder ${folder} has no rule in scripts/check_includes.mjs`)
  // Tests may use a real store or another folder's test support.
  if (rule === '*' || /_test\.cpp$|\/testing\/|_fuzz\.cpp$|_bench\.cpp$/.test(path)) return
  for (const [, target] of readFileSync(join(root, path), 'utf8').matchAll(/^\s*#include "([^"]+)"/gm)) {
    const other = folderOf(target)
    if (!(other in allowed)) continue
    if (other !== folder && !rule.includes(other)) complain(`${path}: ${folder} must not include ${target}`)
  }
})

// The simulator must not share the client's mistakes: of src/ it may know base alone.
walk('simulator', (path) => {
  for (const [, target] of readFileSync(join(root, path), 'utf8').matchAll(/^\s*#include "([^"]+)"/gm)) {
    const other = folderOf(target)
    if (other in allowed && other !== 'base' && !/^(mime|mailbox|gmail|http|oauth|samples|control|faults)\//.test(target))
      complain(`${path}: the simulator must not include ${target}`)
  }
})

if (problems > 0) process.exit(1)
console.log('include directions hold')
