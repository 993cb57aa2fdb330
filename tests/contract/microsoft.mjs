// What the tests with Microsoft's client libraries need: people, a confidential client of MSAL and a Graph client, over https.
import { ConfidentialClientApplication } from '@azure/msal-node'
import { Client } from '@microsoft/microsoft-graph-client'
import { control } from './simulator.mjs'

export const secure = process.env.LATCHKEY_SIMULATOR_TLS
export const clientId = '5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29'
export const clientSecret = 'microsoft-secret-of-the-simulator'
export const redirectUri = 'http://localhost:8000/auth/callback'
export const scopes = ['User.Read', 'Mail.ReadWrite', 'Mail.Send']

// Other files of this folder advance the simulator's clock; a token should outlive that.
await control('PATCH', 'settings', { microsoft_access_token_seconds: 864_000 })

let people = 0
/** A person at Microsoft nobody else in the run knows. */
export async function newPerson(domain = 'example.com', more = {}) {
  people += 1
  return control('POST', 'accounts', {
    email: `outlook-${process.pid}-${people}@${domain}`, name: 'Outlook Person', provider: 'microsoft', ...more,
  })
}

export function newApplication(tenant = 'common') {
  return new ConfidentialClientApplication({
    auth: {
      clientId,
      clientSecret,
      authority: `${secure}/${tenant}`,
      knownAuthorities: [new URL(secure).host],
    },
  })
}

/** Sends the person through chooser and consent; returns the query of the redirect back. */
export async function authorize(url, account, decision = 'approve') {
  const { location } = await control('POST', 'microsoft/authorize', { url, account, decision })
  return new URL(location).searchParams
}

/** The result of a complete flow. */
export async function signIn(application, account, asked = scopes) {
  const url = await application.getAuthCodeUrl({ scopes: asked, redirectUri, state: 'S' })
  const query = await authorize(url, account)
  return application.acquireTokenByCode({ code: query.get('code'), scopes: asked, redirectUri })
}

/** Graph's client for a token. Without `trusted` the token goes to Microsoft's own hosts only. */
export function newGraph(token, trusted = true) {
  return Client.init({
    baseUrl: `${secure}/`,
    defaultVersion: 'v1.0',
    authProvider: (done) => done(null, token),
    customHosts: trusted ? new Set([new URL(secure).hostname]) : undefined,
  })
}
