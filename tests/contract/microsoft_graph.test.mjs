import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  BatchRequestContent, BatchResponseContent, FileUpload, LargeFileUploadTask, PageIterator,
} from '@microsoft/microsoft-graph-client'
import { control } from './simulator.mjs'
import { newApplication, newGraph, newPerson, scopes, signIn } from './microsoft.mjs'

async function signedIn(more = {}) {
  const person = await newPerson('example.com', more)
  const { accessToken } = await signIn(newApplication(), person.email, scopes)
  return { person, graph: newGraph(accessToken), accessToken }
}
const deliver = (person, subject) =>
  control('POST', `mail/${person.email}/messages`, { from: 'Bo <bo@example.org>', to: person.email, subject, text: `Text of ${subject}` })
// Other files of this folder advance the simulator's clock meanwhile.
const inTwoDays = async () => new Date(Date.parse((await control('GET', 'clock')).now) + 172_800_000).toISOString()
const immutable = { Prefer: 'IdType="ImmutableId"' }

test('me and the folders', async () => {
  const { person, graph } = await signedIn()
  const me = await graph.api('/me').get()
  assert.equal(me.id, person.oid)
  assert.equal(me.userPrincipalName, person.email)
  const folders = await graph.api('/me/mailFolders').top(50).get()
  assert.ok(folders.value.some((folder) => folder.displayName === 'Inbox'))
  assert.equal((await graph.api('/me/mailFolders/inbox').get()).displayName, 'Inbox')
})

test('the page iterator walks a list', async () => {
  const { person, graph } = await signedIn()
  for (let i = 0; i < 23; i += 1) await deliver(person, `m${i}`)
  const first = await graph.api('/me/mailFolders/inbox/messages').select('subject').top(10).get()
  const seen = []
  await new PageIterator(graph, first, (message) => { seen.push(message.subject); return true }).iterate()
  assert.equal(new Set(seen).size, 23)
})

test('the page iterator walks a delta round to its deltaLink, and the next round has only what changed', async () => {
  const { person, graph } = await signedIn()
  for (let i = 0; i < 12; i += 1) await deliver(person, `m${i}`)
  const walk = async (api) => {
    const items = []
    const iterator = new PageIterator(graph, await api.headers(immutable).get(), (item) => { items.push(item); return true }, { headers: immutable })
    await iterator.iterate()
    return { items, link: iterator.getDeltaLink() }
  }
  const round = await walk(graph.api('/me/mailFolders/inbox/messages/delta').select('subject,isRead'))
  assert.equal(round.items.length, 12)
  const { id } = await deliver(person, 'fresh')
  await graph.api(`/me/messages/${round.items[0].id}/move`).headers(immutable).post({ destinationId: 'archive' })
  const next = await walk(graph.api(round.link))
  assert.deepEqual(next.items.map((item) => item.subject ?? item['@removed'].reason), ['fresh', 'deleted'])
  assert.equal(next.items[0].id, id)
  await control('POST', `mail/${person.email}/expire-delta`, { folder: 'inbox' })
  await assert.rejects(graph.api(next.link).get(), (error) => error.statusCode === 410 && error.code === 'SyncStateNotFound')
})

test('a batch has an answer for each part, whatever their order', async () => {
  const { person, graph } = await signedIn()
  const { id } = await deliver(person, 'in a batch')
  const content = new BatchRequestContent([
    { id: '1', request: new Request(`https://graph.microsoft.com/me/messages/${id}?$select=subject`) },
    { id: '2', request: new Request('https://graph.microsoft.com/me/messages/nonsense') },
    { id: '3', request: new Request('https://graph.microsoft.com/me/mailFolders/inbox') },
  ])
  const answers = new BatchResponseContent(await graph.api('/$batch').post(await content.getContent()))
  assert.equal((await answers.getResponseById('1').json()).subject, 'in a batch')
  assert.equal(answers.getResponseById('2').status, 400)
  assert.equal(answers.getResponseById('3').status, 200)
})

test('the library waits as long as Retry-After says', async () => {
  const { person, graph } = await signedIn()
  await control('POST', 'faults', {
    kind: 'respond', path: '/v1.0/me/messages', account: person.email, count: 1, payload: 'graph.error.ApplicationThrottled.429',
    retry_after_seconds: 1, retry_after_header: true,
  })
  const { value } = await graph.api('/me/messages').get()
  assert.deepEqual(value, [])
  const { requests } = await control('GET', 'counters')
  assert.ok(requests['GET /v1.0/me/messages'].statuses['429'] >= 1)
})

test('a draft is written, sent, and found again under its immutable id', async () => {
  const { person, graph } = await signedIn()
  const friend = await newPerson()
  const draft = await graph.api('/me/messages').headers(immutable).post({
    subject: 'Grüße', body: { contentType: 'html', content: '<p>Hallo</p>' },
    toRecipients: [{ emailAddress: { address: friend.email } }],
    internetMessageHeaders: [{ name: 'x-own', value: '7' }],
  })
  await graph.api(`/me/messages/${draft.id}/send`).headers(immutable).post('')
  const sent = await graph.api(`/me/messages/${draft.id}`).headers(immutable).get()
  assert.equal(sent.isDraft, false)
  assert.equal(sent.internetMessageId, draft.internetMessageId)
  const { messages } = await control('GET', `mail/${friend.email}/messages`)
  assert.equal(messages[0].subject, 'Grüße')
  assert.equal(messages[0].messageId, draft.internetMessageId)
  assert.equal((await control('GET', `mail/${person.email}/messages`)).messages[0].folder, 'sentitems')
})

test('sendMail takes JSON and MIME', async () => {
  const { graph } = await signedIn()
  const friend = await newPerson()
  await graph.api('/me/sendMail').post({
    message: { subject: 'json', body: { contentType: 'text', content: 'x' }, toRecipients: [{ emailAddress: { address: friend.email } }] },
    saveToSentItems: false,
  })
  const mime = Buffer.from(`To: ${friend.email}\r\nSubject: mime\r\n\r\nx`).toString('base64')
  await graph.api('/me/sendMail').header('Content-Type', 'text/plain').post(mime)
  const { messages } = await control('GET', `mail/${friend.email}/messages`)
  assert.deepEqual(messages.map((message) => message.subject).sort(), ['json', 'mime'])
})

test('a large attachment goes up in chunks', async () => {
  const { graph, accessToken } = await signedIn()
  const draft = await graph.api('/me/messages').headers(immutable).post({ subject: 'large' })
  const bytes = new Uint8Array(5_000_000).map((_, index) => index % 251)
  const session = await LargeFileUploadTask.createUploadSession(
    graph, `/me/messages/${draft.id}/attachments/createUploadSession`,
    { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size: bytes.byteLength } },
  )
  // At Microsoft the upload's host is another one, which must not see the token.
  const task = new LargeFileUploadTask(newGraph(accessToken, false), new FileUpload(bytes, 'large.bin', bytes.byteLength), session, {
    rangeSize: 1_966_080,
  })
  const { location } = await task.upload()
  assert.match(location, /Attachments\('/)
  const { value } = await graph.api(`/me/messages/${draft.id}/attachments`).headers(immutable).select('id,name').get()
  const content = await graph.api(`/me/messages/${draft.id}/attachments/${value[0].id}/$value`).headers(immutable).responseType('arraybuffer').get()
  assert.ok(Buffer.from(content).equals(Buffer.from(bytes)))
})

test('a subscription is validated while its request is open, and its changes are posted', async () => {
  const { person, graph } = await signedIn()
  const posts = []
  let arrived = () => {}
  const receiver = createServer(async (request, response) => {
    const token = new URL(request.url, 'http://localhost').searchParams.get('validationToken')
    if (token) return response.writeHead(200, { 'Content-Type': 'text/plain' }).end(token)
    let body = ''
    for await (const chunk of request) body += chunk
    posts.push(JSON.parse(body))
    response.writeHead(202).end()
    return arrived()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  try {
    const subscription = await graph.api('/subscriptions').post({
      changeType: 'created', notificationUrl: `http://127.0.0.1:${receiver.address().port}/hook`,
      resource: "me/mailFolders('inbox')/messages", clientState: 'secret',
      expirationDateTime: await inTwoDays(),
    })
    const posted = new Promise((resolve) => { arrived = resolve })
    await deliver(person, 'notified')
    await posted
    assert.equal(posts[0].value[0].subscriptionId, subscription.id)
    assert.equal(posts[0].value[0].clientState, 'secret')
    await graph.api(`/subscriptions/${subscription.id}`).delete()
    await assert.rejects(
      graph.api('/subscriptions').post({
        changeType: 'created', notificationUrl: 'http://127.0.0.1:9/nobody', resource: 'me/messages',
        expirationDateTime: await inTwoDays(),
      }),
      (error) => error.statusCode === 400,
    )
  } finally {
    receiver.close()
  }
})
