import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { session, signedOut } from '@/testing/fixtures';
import { http, HttpResponse, network, problem } from '@/testing/network';
import { expectAccessible, visit } from '@/testing/render-app';

const notSignedIn = (changes = {}) =>
  network.use(http.get('/auth/session', () => HttpResponse.json({ ...signedOut, ...changes })));

describe('signing in', () => {
  it('sends somebody without a session to the sign-in page and keeps where they wanted to go', async () => {
    notSignedIn();
    visit('/accounts');
    expect(await screen.findByRole('button', { name: 'Continue with Google' })).toBeVisible();
    expect(window.location.pathname + window.location.search).toBe('/login?return_to=%2Faccounts');
    expect(screen.getByText(/We only read your name and e-mail address/)).toBeVisible();
    await expectAccessible();
  });

  it('shows words for an error code and never the text of the address', async () => {
    notSignedIn();
    visit('/login?error=<b>state_expired</b>');
    expect(await screen.findByText('Something broke on our side')).toBeVisible();
    expect(document.body.innerHTML).not.toContain('<b>state_expired');
  });

  it('says why a session is over', async () => {
    notSignedIn({ end_reason: 'session_reuse' });
    visit('/inbox');
    expect(await screen.findByText('We signed you out everywhere')).toBeVisible();
  });

  it('explains what an administrator has to do while no provider is configured', async () => {
    notSignedIn({ providers: [] });
    visit('/login');
    expect(await screen.findByText('Sign-in is not set up yet')).toBeVisible();
    expect(screen.getByText('http://localhost:8000/auth/login/google/callback')).toBeVisible();
    await expectAccessible();
  });

  it('tells the first person after the setup link that they become administrator', async () => {
    notSignedIn({ setup: { state: 'awaiting_administrator', bound_to_this_browser: true } });
    visit('/login');
    expect(await screen.findByText(/becomes the administrator/)).toBeVisible();
  });

  it('offers to try again when the server cannot be reached', async () => {
    let down = true;
    network.use(
      http.get('/auth/session', () => (down ? problem(404, 'not_found') : HttpResponse.json(signedOut))),
    );
    const { user } = visit('/login');
    const again = await screen.findByRole('button', { name: 'Try again' });
    down = false;
    await user.click(again);
    expect(await screen.findByRole('button', { name: 'Continue with Google' })).toBeVisible();
  });

  it('goes on to a local address only after the callback', async () => {
    visit('/auth/callback?status=ok&return_to=https://evil.example/');
    await waitFor(() => expect(window.location.pathname).toBe('/inbox'));
  });

  it('says that cookies are missing when the callback finds no session', async () => {
    notSignedIn();
    visit('/auth/callback?status=ok');
    expect(await screen.findByText('Your browser did not keep the sign-in')).toBeVisible();
  });

  it('leaves nothing of the person behind after signing out', async () => {
    let signedIn = true;
    let token: string | null = null;
    network.use(
      http.get('/auth/session', () => HttpResponse.json(signedIn ? session : signedOut)),
      http.post('/auth/logout', ({ request }) => {
        token = request.headers.get('X-CSRF-Token');
        signedIn = false;
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const { user } = visit('/accounts');
    await user.click(await screen.findByRole('button', { name: 'Account menu' }));
    await user.click(await screen.findByRole('menuitem', { name: 'Sign out' }));
    expect(await screen.findByText('You are signed out.')).toBeVisible();
    expect(token).toBe(session.csrfToken);
    expect(screen.queryByText('ada@example.com')).toBeNull();
  });

  it('goes to the sign-in page when the session ends while a page is open', async () => {
    const { user } = visit('/accounts');
    await screen.findByRole('heading', { name: 'Connected accounts' });
    network.use(
      http.get('/auth/session', () => HttpResponse.json({ ...signedOut, end_reason: 'session_expired' })),
      http.post('/api/v1/connected-accounts/:id/sync', () => problem(401, 'unauthenticated')),
    );
    await user.click(await screen.findByRole('button', { name: 'Sync now' }));
    expect(await screen.findByText(/your session got too old/)).toBeVisible();
  });
});
