import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { CodeChallengeMethod } from 'google-auth-library'
import { authorize, base, clientId, control, newClient, newPerson, scopes, signIn } from './simulator.mjs'

async function publishedKeys() {
  const { keys } = await (await fetch(`${base}/google/certs`)).json()
  return Object.fromEntries(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })]))
}

test('the authorization code flow with PKCE ends in tokens the library verifies', async () => {
  const person = await newPerson('Ada Contract')
  const client = newClient()
  const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync()
  const url = client.generateAuthUrl({
    access_type: 'offline',
    scope: ['openid', 'email', 'profile', scopes.read],
    state: 'a state',
    nonce: 'a-nonce',
    code_challenge_method: CodeChallengeMethod.S256,
    code_challenge: codeChallenge,
  })
  const query = await authorize(url, person.email)
  assert.equal(query.get('state'), 'a state')
  const { tokens } = await client.getToken({ code: query.get('code'), codeVerifier })
  assert.match(tokens.refresh_token, /^1\/\//)
  assert.equal(tokens.token_type, 'Bearer')
  assert.ok(tokens.expiry_date > Date.now() + 3_500_000)
  assert.ok(tokens.scope.split(' ').includes(scopes.read))

  const ticket = await client.verifySignedJwtWithCertsAsync(tokens.id_token, await publishedKeys(), clientId, [`${base}/google`])
  const claims = ticket.getPayload()
  assert.equal(claims.sub, person.sub)
  assert.equal(claims.email, person.email)
  assert.equal(claims.email_verified, true)
  assert.equal(claims.nonce, 'a-nonce')
  assert.equal(claims.name, 'Ada Contract')
})

test('an ID token stays verifiable after one rotation of the keys', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, ['openid'])
  await control('POST', 'keys/rotate')
  await client.verifySignedJwtWithCertsAsync(client.credentials.id_token, await publishedKeys(), clientId, [`${base}/google`])
  const { credentials } = await client.refreshAccessToken()
  await client.verifySignedJwtWithCertsAsync(credentials.id_token, await publishedKeys(), clientId, [`${base}/google`])
})

test('an expired access token is refreshed by the library without a word', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, [scopes.read])
  const first = client.credentials.access_token
  await control('POST', 'tokens/expire', { account: person.email })
  const { data } = await client.request({ url: `${base}/gmail/v1/users/me/profile` })
  assert.equal(data.emailAddress, person.email)
  assert.notEqual(client.credentials.access_token, first)
})

test('tokeninfo and userinfo tell whose token it is', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, ['openid', 'email', scopes.send])
  const info = await client.getTokenInfo(client.credentials.access_token)
  assert.equal(info.aud, clientId)
  assert.equal(info.sub, person.sub)
  assert.ok(info.scopes.includes(scopes.send))
  const { data } = await client.request({ url: `${base}/google/userinfo` })
  assert.equal(data.email, person.email)
})

test('an unticked permission is missing from the tokens', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, [scopes.read, scopes.send], { untick: [scopes.send] })
  assert.equal(client.credentials.scope, scopes.read)
})

test('a denied consent comes back as access_denied', async () => {
  const person = await newPerson()
  const url = newClient().generateAuthUrl({ scope: ['openid'] })
  assert.equal((await authorize(url, person.email, { decision: 'deny' })).get('error'), 'access_denied')
})

test('a revoked token ends the grant, and refreshing says invalid_grant', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, [scopes.read])
  await client.revokeToken(client.credentials.access_token)
  await assert.rejects(client.refreshAccessToken(), (error) => {
    assert.equal(error.response.status, 400)
    assert.equal(error.response.data.error, 'invalid_grant')
    assert.equal(error.response.data.error_description, 'Token has been expired or revoked.')
    return true
  })
})

test('an injected invalid_client reaches the library as 401', async () => {
  const person = await newPerson()
  const client = await signIn(person.email, [scopes.read])
  const fault = await control('POST', 'faults', {
    kind: 'respond', path: '/google/token', account: person.email, payload: 'google.invalid_client.401', count: 1,
  })
  await assert.rejects(client.refreshAccessToken(), (error) => error.response.data.error === 'invalid_client')
  const { faults } = await control('GET', 'counters')
  assert.equal(faults[fault.id].fired, 1)
})
