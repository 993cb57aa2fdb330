import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { calendar } from '@googleapis/calendar'
import { OAuth2Client } from 'google-auth-library'
import { base, clientId, control, newPerson, signIn } from './simulator.mjs'

const tls = process.env.LATCHKEY_SIMULATOR_TLS
const scope = 'https://www.googleapis.com/auth/calendar'
const calendarId = 'primary'

/** Google's own Calendar client over https, signed in as a new person. */
async function calendarOf(scopes = [scope]) {
  const person = await newPerson()
  const auth = await signIn(person.email, scopes)
  return { person, api: calendar({ version: 'v3', auth, rootUrl: `${tls}/` }) }
}

const lunch = (day) => ({
  summary: `Lunch ${day}`,
  start: { dateTime: `2026-03-${day}T12:00:00+01:00` },
  end: { dateTime: `2026-03-${day}T13:00:00+01:00` },
})

/** A place for pushes: requests in order, and a promise for the next one. */
async function receiver(t) {
  const got = []
  let wake = () => {}
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    response.writeHead(204).end()
    got.push({ headers: request.headers, body })
    wake()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const next = async (count) => {
    while (got.length < count) await new Promise((resolve) => { wake = resolve })
    return got[count - 1]
  }
  return { url: `http://127.0.0.1:${server.address().port}/hook`, got, next }
}

test('lists, a round with the sync token, changes and deletions', async () => {
  const { api } = await calendarOf()
  const { data: list } = await api.calendarList.list()
  assert.equal(list.items[0].primary, true)
  const inserted = []
  for (const day of ['10', '11', '12']) inserted.push((await api.events.insert({ calendarId, requestBody: lunch(day) })).data)
  const ids = []
  let pageToken
  let syncToken
  do {
    const { data } = await api.events.list({ calendarId, maxResults: 2, pageToken })
    ids.push(...data.items.map(({ id }) => id))
    ;({ nextPageToken: pageToken, nextSyncToken: syncToken } = data)
  } while (pageToken)
  assert.deepEqual(new Set(ids), new Set(inserted.map(({ id }) => id)))
  await api.events.patch({ calendarId, eventId: inserted[0].id, requestBody: { summary: 'Moved' } })
  assert.equal((await api.events.delete({ calendarId, eventId: inserted[1].id })).status, 204)
  const { data: changes } = await api.events.list({ calendarId, syncToken })
  assert.deepEqual(changes.items.map(({ id, status }) => [id, status]), [[inserted[0].id, 'confirmed'], [inserted[1].id, 'cancelled']])
  await assert.rejects(api.events.delete({ calendarId, eventId: inserted[1].id }), { code: 410 })
  await assert.rejects(api.events.list({ calendarId, syncToken, q: 'x' }), { code: 400 })
})

test('an expired sync token is answered with 410', async () => {
  const { person, api } = await calendarOf()
  const { data } = await api.events.list({ calendarId })
  await control('POST', `calendar/${person.email}/expire-tokens`)
  await assert.rejects(api.events.list({ calendarId, syncToken: data.nextSyncToken }), (error) => {
    assert.equal(error.code, 410)
    assert.equal(error.response.data.error.errors[0].reason, 'fullSyncRequired')
    return true
  })
})

test('instances of a series move and are cancelled one by one', async () => {
  const { api } = await calendarOf()
  const { data: series } = await api.events.insert({
    calendarId,
    requestBody: {
      summary: 'Weekly',
      start: { dateTime: '2026-03-23T09:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2026-03-23T10:00:00', timeZone: 'Europe/Berlin' },
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    },
  })
  const { data: instances } = await api.events.instances({ calendarId, eventId: series.id })
  // Summer time begins between the first and the second.
  assert.deepEqual(instances.items.map(({ id }) => id.split('_')[1]), ['20260323T080000Z', '20260330T070000Z', '20260406T070000Z'])
  await api.events.delete({ calendarId, eventId: instances.items[1].id })
  const { data: flat } = await api.events.list({ calendarId, singleEvents: true, orderBy: 'startTime', timeMin: '2026-03-01T00:00:00Z', timeMax: '2026-05-01T00:00:00Z' })
  assert.deepEqual(flat.items.map(({ id }) => id), [instances.items[0].id, instances.items[2].id])
  const { data: stored } = await api.events.list({ calendarId })
  assert.deepEqual(stored.items.find(({ status }) => status === 'cancelled').recurringEventId, series.id)
})

test('the events scope does not open the list of calendars', async () => {
  const { api } = await calendarOf(['https://www.googleapis.com/auth/calendar.events'])
  await assert.rejects(api.calendarList.list(), { code: 403 })
  assert.equal((await api.events.list({ calendarId })).status, 200)
})

test('a channel says sync, then exists, until it is stopped', async (t) => {
  const { api } = await calendarOf()
  const { url, got, next } = await receiver(t)
  const requestBody = { id: `channel-${process.pid}`, type: 'web_hook', address: url, token: 'words' }
  const { data: channel } = await api.events.watch({ calendarId, requestBody })
  assert.ok(Number(channel.expiration) > Date.now())
  const first = await next(1)
  assert.equal(first.headers['x-goog-resource-state'], 'sync')
  assert.equal(first.headers['x-goog-channel-token'], 'words')
  await api.events.insert({ calendarId, requestBody: lunch('10') })
  const second = await next(2)
  assert.equal(second.headers['x-goog-resource-state'], 'exists')
  assert.equal(second.headers['x-goog-resource-id'], channel.resourceId)
  assert.equal((await api.channels.stop({ requestBody: { id: channel.id, resourceId: channel.resourceId } })).status, 204)
  await api.events.insert({ calendarId, requestBody: lunch('11') })
  assert.equal(got.length, 2)
})

test('Pub/Sub pushes carry a token that the library verifies', async (t) => {
  const person = await newPerson()
  const auth = await signIn(person.email, ['https://mail.google.com/'])
  const { url, next } = await receiver(t)
  t.after(() => control('DELETE', 'pubsub/subscription'))
  await control('PUT', 'pubsub/subscription', { endpoint: url, audience: 'https://app.example.com/push', issuer: `${base}/google` })
  await auth.request({ url: `${base}/gmail/v1/users/me/watch`, method: 'POST', data: { topicName: 'projects/p/topics/gmail' } })
  const push = await next(1)
  const { message, subscription } = JSON.parse(push.body)
  assert.equal(subscription, 'projects/p/subscriptions/gmail-push')
  assert.equal(JSON.parse(Buffer.from(message.data, 'base64').toString()).emailAddress, person.email)
  const { keys } = await (await fetch(`${base}/google/certs`)).json()
  const { createPublicKey } = await import('node:crypto')
  const certs = Object.fromEntries(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })]))
  const ticket = await new OAuth2Client(clientId).verifySignedJwtWithCertsAsync(
    push.headers.authorization.replace('Bearer ', ''), certs, 'https://app.example.com/push', [`${base}/google`])
  assert.equal(ticket.getPayload().email, 'push-sa@my-project.iam.gserviceaccount.com')
  assert.equal(ticket.getPayload().email_verified, true)
})

test('answers about sending can lie, the log of what left does not', async () => {
  const person = await newPerson()
  const auth = await signIn(person.email, ['https://mail.google.com/'])
  const send = async (subject) => {
    const raw = Buffer.from(`To: cleo@example.net\r\nBcc: noor@example.net\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.com>\r\nX-Own: ${subject}\r\n\r\nText\r\n`).toString('base64url')
    return (await auth.request({ url: `${base}/gmail/v1/users/me/messages/send`, method: 'POST', data: { raw } })).data
  }
  const fault = (kind, more) => control('POST', 'faults', { kind, account: person.email, count: 1, ...more })
  await send('honest')
  await fault('lose_message')
  assert.match((await send('lost')).id, /^[0-9a-f]{16}$/)
  await fault('duplicate_send')
  await send('twice')
  await fault('delay_send', { delay_seconds: 30 })
  const late = await send('late')
  const before = await control('GET', `sent/${person.email}`)
  assert.deepEqual(before.by_message_id, { '<honest@example.com>': 1, '<twice@example.com>': 2 })
  assert.deepEqual(before.messages[0].recipients, ['cleo@example.net', 'noor@example.net'])
  assert.equal(before.messages[0].headers['X-Own'], 'honest')
  await control('POST', 'clock/advance', { seconds: 30 })
  const after = await control('GET', `sent/${person.email}`)
  assert.equal(after.by_message_id['<late@example.com>'], 1)
  assert.equal(after.messages.at(-1).id, late.id)
})
