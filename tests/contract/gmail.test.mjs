import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gmail } from '@googleapis/gmail'
import { base, control, newPerson, scopes, signIn } from './simulator.mjs'

/** Google's own Gmail client, signed in as a new person with `count` messages. */
async function mailboxOf(count, scope = [scopes.all]) {
  const person = await newPerson()
  const auth = await signIn(person.email, scope)
  const api = gmail({ version: 'v1', auth, rootUrl: `${base}/` })
  const delivered = []
  for (let i = 1; i <= count; i += 1) {
    delivered.push(await control('POST', `mail/${person.email}/messages`, {
      from: 'Cleo <cleo@example.net>', to: person.email, subject: `Letter ${i}`, text: `This is letter ${i}.`,
    }))
  }
  return { person, api, delivered, user: { userId: 'me' } }
}

const rawMail = (to, subject) =>
  Buffer.from(`To: ${to}\r\nSubject: ${subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n`).toString('base64url')

test('pages of messages.list hold every message once', async () => {
  const { api, delivered, user } = await mailboxOf(7)
  const ids = []
  let pageToken
  do {
    const { data } = await api.users.messages.list({ ...user, maxResults: 3, pageToken })
    ids.push(...data.messages.map((message) => message.id))
    pageToken = data.nextPageToken
  } while (pageToken)
  assert.deepEqual(new Set(ids), new Set(delivered.map((message) => message.id)))
  assert.equal(ids.length, 7)
})

test('a message comes in each format', async () => {
  const { api, delivered, user } = await mailboxOf(1)
  const id = delivered[0].id
  const { data: full } = await api.users.messages.get({ ...user, id })
  assert.equal(full.payload.headers.find(({ name }) => name === 'Subject').value, 'Letter 1')
  assert.match(Buffer.from(full.payload.body.data, 'base64url').toString(), /This is letter 1\./)
  const { data: metadata } = await api.users.messages.get({ ...user, id, format: 'metadata', metadataHeaders: ['From', 'Subject'] })
  assert.deepEqual(metadata.payload.headers.map(({ name }) => name).sort(), ['From', 'Subject'])
  const { data: raw } = await api.users.messages.get({ ...user, id, format: 'raw' })
  assert.match(Buffer.from(raw.raw, 'base64url').toString(), /^Subject: Letter 1\r$/m)
  const { data: partial } = await api.users.messages.get({ ...user, id, fields: 'id,labelIds' })
  assert.deepEqual(Object.keys(partial).sort(), ['id', 'labelIds'])
})

test('history tells additions, label changes and deletions in order, and 404 when it is gone', async () => {
  const { person, api, delivered, user } = await mailboxOf(2)
  const startHistoryId = (await api.users.getProfile(user)).data.historyId
  const { id } = await control('POST', `mail/${person.email}/messages`, { from: 'b@example.org', to: person.email, subject: 'New', text: 'x' })
  await api.users.messages.modify({ ...user, id, requestBody: { removeLabelIds: ['UNREAD'], addLabelIds: ['STARRED'] } })
  await api.users.messages.delete({ ...user, id: delivered[0].id })
  const { data } = await api.users.history.list({ ...user, startHistoryId, historyTypes: ['messageAdded', 'messageDeleted', 'labelAdded', 'labelRemoved'] })
  const steps = data.history.flatMap((record) => Object.keys(record).filter((key) => !['id', 'messages'].includes(key)))
  assert.deepEqual(steps, ['messagesAdded', 'labelsAdded', 'labelsRemoved', 'messagesDeleted'])
  assert.equal(data.historyId, (await api.users.getProfile(user)).data.historyId)
  const { data: nothing } = await api.users.history.list({ ...user, startHistoryId: data.historyId })
  assert.equal(nothing.history, undefined)
  await control('POST', `mail/${person.email}/expire-history`)
  await assert.rejects(api.users.history.list({ ...user, startHistoryId: data.historyId }), { code: 404 })
})

test('sent mail reaches the other person, by JSON and by upload', async () => {
  const ada = await mailboxOf(0)
  const ben = await mailboxOf(0)
  const { data: sent } = await ada.api.users.messages.send({ ...ada.user, requestBody: { raw: rawMail(ben.person.email, 'By JSON') } })
  assert.deepEqual(sent.labelIds, ['SENT'])
  const upload = { mimeType: 'message/rfc822', body: `To: ${ben.person.email}\r\nSubject: By upload\r\n\r\nText\r\n` }
  // Media calls of this library look for the host in the options of the call only.
  await ada.api.users.messages.send({ ...ada.user, requestBody: {}, media: upload }, { rootUrl: `${base}/` })
  const { data } = await ben.api.users.messages.list({ ...ben.user, labelIds: ['INBOX', 'UNREAD'] })
  assert.equal(data.messages.length, 2)
  await assert.rejects(
    ada.api.users.messages.send({ ...ada.user, requestBody: { raw: rawMail('nobody', 'x') } }),
    (error) => error.code === 400 && /Invalid To header/.test(error.message),
  )
})

test('labels can be made, put on many messages at once, and counted', async () => {
  const { api, delivered, user } = await mailboxOf(3)
  const { data: label } = await api.users.labels.create({ ...user, requestBody: { name: 'Keep' } })
  const ids = delivered.map((message) => message.id)
  const answer = await api.users.messages.batchModify({ ...user, requestBody: { ids, addLabelIds: [label.id], removeLabelIds: ['INBOX'] } })
  assert.equal(answer.status, 204)
  const { data: counted } = await api.users.labels.get({ ...user, id: label.id })
  assert.equal(counted.messagesTotal, 3)
  const { data: list } = await api.users.labels.list(user)
  assert.ok(list.labels.some(({ id, type }) => id === 'INBOX' && type === 'system'))
})

test('attachments come by their id, which differs from read to read', async () => {
  const { person, api, user } = await mailboxOf(0)
  const { id } = await control('POST', `mail/${person.email}/messages`, {
    from: 'c@example.net', to: person.email, subject: 'File', text: 'see file', attachments: [{ filename: 'übersicht.csv', mime_type: 'text/csv', text: 'a,b\n' }],
  })
  const read = async () => (await api.users.messages.get({ ...user, id })).data.payload.parts.find(({ filename }) => filename)
  const [first, second] = [await read(), await read()]
  assert.equal(first.filename, 'übersicht.csv')
  assert.notEqual(first.body.attachmentId, second.body.attachmentId)
  const { data } = await api.users.messages.attachments.get({ ...user, messageId: id, id: first.body.attachmentId })
  assert.equal(Buffer.from(data.data, 'base64url').toString(), 'a,b\n')
})

test('watch announces changes and stop ends it', async () => {
  const { person, api, user } = await mailboxOf(0)
  await control('DELETE', 'pubsub')
  const { data } = await api.users.watch({ ...user, requestBody: { topicName: 'projects/p/topics/gmail', labelIds: ['INBOX'] } })
  assert.ok(Number(data.expiration) > Date.now())
  const notes = async () =>
    (await control('GET', 'pubsub')).messages
      .map(({ message }) => JSON.parse(Buffer.from(message.data, 'base64').toString()))
      .filter(({ emailAddress }) => emailAddress === person.email)
  assert.equal((await notes()).length, 1, 'the first one comes at once')
  assert.equal((await api.users.stop(user)).status, 204)
  await control('POST', 'clock/advance', { seconds: 2 })
  await control('POST', `mail/${person.email}/messages`, { from: 'd@example.net', to: person.email, subject: 'x', text: 'x' })
  assert.equal((await notes()).length, 1)
})

test('threads, drafts, trash and search work together', async () => {
  const { person, api, user } = await mailboxOf(0)
  const first = await control('POST', `mail/${person.email}/messages`, { from: 'e@example.net', to: person.email, subject: 'Plan', text: 'one', message_id: '<plan-1@example.net>' })
  await control('POST', `mail/${person.email}/messages`, { from: 'e@example.net', to: person.email, subject: 'Re: Plan', text: 'two', in_reply_to: '<plan-1@example.net>' })
  const { data: threads } = await api.users.threads.list({ ...user, q: 'subject:plan' })
  assert.deepEqual(threads.threads.map(({ id }) => id), [first.threadId])
  assert.equal((await api.users.threads.get({ ...user, id: first.threadId, format: 'minimal' })).data.messages.length, 2)
  const { data: draft } = await api.users.drafts.create({ ...user, requestBody: { message: { raw: rawMail('f@example.net', 'Draft') } } })
  assert.equal((await api.users.drafts.list(user)).data.drafts[0].id, draft.id)
  await api.users.drafts.delete({ ...user, id: draft.id })
  await api.users.messages.trash({ ...user, id: first.id })
  assert.deepEqual((await api.users.messages.list({ ...user, q: 'in:trash' })).data.messages.map(({ id }) => id), [first.id])
})

test('a narrow grant is refused with the scope in the reason', async () => {
  const { api, user } = await mailboxOf(0, [scopes.send])
  await assert.rejects(api.users.messages.list(user), (error) => {
    assert.equal(error.code, 403)
    assert.equal(error.response.data.error.details[0].reason, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')
    return true
  })
})
