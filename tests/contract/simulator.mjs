// What every contract test needs: the control API, people of one's own, and a client that is signed in as one of them.
import { OAuth2Client } from 'google-auth-library'

export const base = process.env.LATCHKEY_SIMULATOR
export const clientId = 'latchkey-demo.apps.googleusercontent.com'
export const clientSecret = 'secret-of-the-simulator'
export const redirectUri = 'http://127.0.0.1:8000/auth/callback'
export const scopes = {
  read: 'https://www.googleapis.com/auth/gmail.readonly',
  modify: 'https://www.googleapis.com/auth/gmail.modify',
  send: 'https://www.googleapis.com/auth/gmail.send',
  all: 'https://mail.google.com/',
}

/** One call of the control API; throws with its sentence when it refuses. */
export async function control(method, path, body) {
  const response = await fetch(`${base}/control/${path}`, { method, body: body && JSON.stringify(body) })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${method} /control/${path}: ${answer.error}`)
  return answer
}

let people = 0
/** A person nobody else in the run knows. */
export async function newPerson(name = 'Contract Person') {
  people += 1
  return control('POST', 'accounts', { email: `person-${process.pid}-${people}@example.com`, name })
}

/** google-auth-library's client, pointed at the simulator. */
export function newClient() {
  return new OAuth2Client({
    clientId,
    clientSecret,
    redirectUri,
    // Refresh on a 401 even when the token should still be good.
    forceRefreshOnFailure: true,
    issuers: [`${base}/google`],
    endpoints: {
      oauth2AuthBaseUrl: `${base}/google/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${base}/google/token`,
      oauth2RevokeUrl: `${base}/google/revoke`,
      tokenInfoUrl: `${base}/google/tokeninfo`,
    },
  })
}

/** Sends the person through chooser and consent; returns the query of the redirect back. */
export async function authorize(url, account, options = {}) {
  const { location } = await control('POST', 'google/authorize', { url, account, ...options })
  return new URL(location).searchParams
}

/** A client holding the tokens of a complete flow. */
export async function signIn(account, scope, options = {}) {
  const client = newClient()
  const url = client.generateAuthUrl({ access_type: 'offline', prompt: 'consent', scope })
  const query = await authorize(url, account, options)
  const { tokens } = await client.getToken(query.get('code'))
  client.setCredentials(tokens)
  return client
}
