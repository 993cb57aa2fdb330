import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CryptoProvider } from '@azure/msal-node'
import { control } from './simulator.mjs'
import { authorize, newApplication, newPerson, redirectUri, scopes, signIn } from './microsoft.mjs'

test('the authorization code flow with PKCE signs in a work account', async () => {
  const person = await newPerson()
  const application = newApplication()
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
  const url = await application.getAuthCodeUrl({
    scopes, redirectUri, state: 'a state', nonce: 'a-nonce', codeChallenge: challenge, codeChallengeMethod: 'S256',
  })
  const query = await authorize(url, person.email)
  assert.equal(query.get('state'), 'a state')
  const result = await application.acquireTokenByCode({
    code: query.get('code'), scopes, redirectUri, codeVerifier: verifier, nonce: 'a-nonce',
  })
  assert.equal(result.idTokenClaims.nonce, 'a-nonce')
  assert.equal(result.tenantId, person.tid)
  assert.equal(result.account.homeAccountId, `${person.oid}.${person.tid}`)
  assert.equal(result.account.username, person.email)
  assert.equal(result.idTokenClaims.oid, person.oid)
  assert.equal(result.idTokenClaims.email_verified, undefined)
  assert.ok(result.scopes.includes('https://graph.microsoft.com/Mail.ReadWrite'))
})

test('a personal account signs in through common and consumers, not through organizations', async () => {
  const person = await newPerson('outlook.example')
  for (const tenant of ['common', 'consumers']) {
    const result = await signIn(newApplication(tenant), person.email)
    assert.equal(result.tenantId, '9188040d-6c67-4c5b-b112-36a304b66dad')
  }
  const application = newApplication('organizations')
  const url = await application.getAuthCodeUrl({ scopes, redirectUri })
  await assert.rejects(authorize(url, person.email), /AADSTS50020/)
})

test('the library refreshes in silence, and learns what ended a grant', async () => {
  const person = await newPerson()
  const application = newApplication()
  const first = await signIn(application, person.email)
  const fresh = await application.acquireTokenSilent({ account: first.account, scopes, forceRefresh: true })
  assert.notEqual(fresh.accessToken, first.accessToken)
  await control('POST', 'grants/revoke', { account: person.email, reason: 'sessions' })
  await assert.rejects(
    application.acquireTokenSilent({ account: first.account, scopes, forceRefresh: true }),
    (error) => error.errorCode === 'invalid_grant' && /AADSTS50173/.test(error.message),
  )
})

test('a claims challenge asks for interaction', async () => {
  const person = await newPerson()
  const application = newApplication()
  const first = await signIn(application, person.email)
  await control('POST', 'faults', {
    kind: 'respond', path: '/*/oauth2/v2.0/token', account: person.email, count: 1,
    payload: 'microsoft.token.error.50079.mfa-enrol.400',
  })
  await assert.rejects(
    application.acquireTokenSilent({ account: first.account, scopes, forceRefresh: true }),
    (error) => error.name === 'InteractionRequiredAuthError' && error.claims.includes('polids'),
  )
})

test('a wrong secret is the application\'s fault', async () => {
  const person = await newPerson()
  await control('POST', 'faults', {
    kind: 'respond', path: '/*/oauth2/v2.0/token', account: person.email, count: 1,
    payload: 'microsoft.token.error.7000215.bad-secret.401',
  })
  await assert.rejects(signIn(newApplication(), person.email), (error) => error.errorCode === 'invalid_client')
})

test('declined consent and missing administrator approval never become a code', async () => {
  const person = await newPerson()
  const application = newApplication()
  const url = await application.getAuthCodeUrl({ scopes, redirectUri })
  assert.equal((await authorize(url, person.email, 'deny')).get('error'), 'access_denied')
  await control('PATCH', `accounts/${person.email}`, { user_consent_allowed: false })
  await assert.rejects(authorize(url, person.email), /AADSTS90094/)
  await control('POST', 'microsoft/admin-consent', { tenant: person.tid, scopes: [...scopes, 'openid', 'profile', 'offline_access'] })
  assert.ok((await authorize(url, person.email)).get('code'))
  await control('POST', 'microsoft/admin-consent', { tenant: person.tid, revoke: true })
})
