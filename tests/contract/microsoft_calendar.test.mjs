import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PageIterator } from '@microsoft/microsoft-graph-client'
import { newApplication, newGraph, newPerson, signIn } from './microsoft.mjs'
import { control } from './simulator.mjs'

const scopes = ['User.Read', 'Calendars.ReadWrite']

async function signedIn() {
  const person = await newPerson()
  const { accessToken } = await signIn(newApplication(), person.email, scopes)
  return { person, graph: newGraph(accessToken) }
}

const weekly = {
  subject: 'Weekly',
  start: { dateTime: '2026-03-23T09:00:00', timeZone: 'W. Europe Standard Time' },
  end: { dateTime: '2026-03-23T09:30:00', timeZone: 'W. Europe Standard Time' },
  recurrence: {
    pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'], firstDayOfWeek: 'sunday' },
    range: { type: 'numbered', startDate: '2026-03-23', numberOfOccurrences: 4 },
  },
}
const window = { startDateTime: '2026-03-01T00:00:00Z', endDateTime: '2026-05-01T00:00:00Z' }

test('calendars, a series, and its instances on the right side of summer time', async () => {
  const { graph } = await signedIn()
  const { value: calendars } = await graph.api('/me/calendars').get()
  assert.deepEqual(calendars.map(({ isDefaultCalendar }) => isDefaultCalendar), [true])
  const master = await graph.api(`/me/calendars/${calendars[0].id}/events`).post(weekly)
  assert.equal(master.type, 'seriesMaster')
  const { value: instances } = await graph.api(`/me/events/${master.id}/instances`).query(window).get()
  assert.deepEqual(instances.map(({ start }) => start.dateTime.slice(0, 16)),
    ['2026-03-23T08:00', '2026-03-30T07:00', '2026-04-06T07:00', '2026-04-13T07:00'])
  const { value: local } = await graph.api('/me/calendarView').query(window).header('Prefer', 'outlook.timezone="W. Europe Standard Time"').get()
  assert.deepEqual(new Set(local.map(({ start }) => start.dateTime.slice(11, 16))), new Set(['09:00']))
})

test('the page iterator walks a view', async () => {
  const { person, graph } = await signedIn()
  for (let day = 1; day <= 14; day += 1) {
    await control('POST', `calendar/${person.email}/events`, { summary: `Day ${day}`, start: `2026-03-${String(day).padStart(2, '0')}` })
  }
  const seen = []
  const first = await graph.api('/me/calendarView').query(window).top(5).get()
  await new PageIterator(graph, first, (event) => { seen.push(event.subject); return true }).iterate()
  assert.deepEqual(seen, Array.from({ length: 14 }, (_, index) => `Day ${index + 1}`))
})

test('a delta round in pages, then only what changed, then a fresh round after the links expired', async () => {
  const { person, graph } = await signedIn()
  const master = await graph.api('/me/events').post(weekly)
  const walk = async (first) => {
    const items = []
    const iterator = new PageIterator(graph, first, (event) => { items.push(event); return true },
      { headers: { Prefer: 'odata.maxpagesize=2' } })
    await iterator.iterate()
    return { items, deltaLink: iterator.getDeltaLink() }
  }
  const begin = () => graph.api('/me/calendarView/delta').query(window).header('Prefer', 'odata.maxpagesize=2').get()
  const round = await walk(await begin())
  assert.deepEqual(round.items.map(({ type }) => type).sort(), ['occurrence', 'occurrence', 'occurrence', 'occurrence', 'seriesMaster'])
  const occurrence = round.items.find(({ type }) => type === 'occurrence')
  assert.equal(occurrence.seriesMasterId, master.id)
  assert.equal(occurrence.subject, undefined)
  await graph.api(`/me/events/${occurrence.id}`).patch({ subject: 'Changed' })
  const next = await walk(await graph.api(round.deltaLink).get())
  assert.deepEqual(next.items.map(({ type, subject }) => [type, subject]), [['exception', 'Changed']])
  await graph.api(`/me/events/${master.id}`).delete()
  const last = await walk(await graph.api(next.deltaLink).get())
  assert.equal(last.items.length, 5)
  assert.ok(last.items.every((item) => item['@removed'].reason === 'deleted'))
  await control('POST', `calendar/${person.email}/expire-tokens`)
  await assert.rejects(graph.api(last.deltaLink).get(), { statusCode: 410, code: 'SyncStateNotFound' })
  assert.deepEqual((await begin()).value, [])
})

test('one transactionId makes one event; invitations are answered', async () => {
  const { person, graph } = await signedIn()
  const body = { ...weekly, recurrence: null, transactionId: 'once' }
  assert.equal((await graph.api('/me/events').post(body)).id, (await graph.api('/me/events').post(body)).id)
  await control('POST', `calendar/${person.email}/events`, {
    summary: 'Invitation', start: '2026-03-20T10:00:00Z', organizer: 'mira@example.org', attendees: [person.email],
  })
  const find = async () => (await graph.api('/me/events').get()).value.find(({ subject }) => subject === 'Invitation')
  assert.equal((await find()).responseStatus.response, 'notResponded')
  await graph.api(`/me/events/${(await find()).id}/tentativelyAccept`).post({ sendResponse: false })
  assert.equal((await find()).responseStatus.response, 'tentativelyAccepted')
  await graph.api(`/me/events/${(await find()).id}/decline`).post({})
  assert.equal(await find(), undefined)
})
