import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

let deck;
before(async () => { deck = await Deck.startWithAdmin(); });
after(() => deck?.end());

const MUTATIONS = [
  ['POST', '/api/auth/logout'], ['POST', '/api/auth/password', {}],
  ['DELETE', '/api/auth/sessions'], ['DELETE', '/api/auth/sessions/x'],
  ['POST', '/api/users', {}], ['PATCH', '/api/users/admin', {}],
  ['POST', '/api/agents/tokens', {}], ['DELETE', '/api/agents/tokens/x'],
  ['POST', '/api/config/keys/openai', {}], ['PUT', '/api/config/keys/openai', {}], ['DELETE', '/api/config/keys/openai'],
  ['POST', '/api/config/keys/openai/test'],
  ['POST', '/api/chat', {}], ['POST', '/api/security/audit-logs/notes', {}],
];

describe('every mutation by a session', () => {
  for (const [method, path, body] of MUTATIONS) {
    test(`${method} ${path} is refused without the token, and without the cookie`, async () => {
      assertProblem(await deck.admin.request(method, path, { body, csrf: null }), 403, 'csrf_invalid');
      assertProblem(await deck.admin.request(method, path, { body, cookies: null }), 403, 'csrf_invalid');
    });
  }

  test('/v1 wants it too when a session token is used', async () => {
    const answer = await deck.admin.post('/v1/chat/completions', { model: 'x', messages: [] }, { csrf: null });
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.json.error.code, 'csrf_invalid');
  });

  test("another session's token does not do", async () => {
    const other = deck.client();
    await other.signIn(ADMIN);
    const note = { text: 'x' };
    assertProblem(await deck.admin.post('/api/security/audit-logs/notes', note, { csrf: other.csrf }), 403, 'csrf_invalid');
    const cookies = new Map(deck.admin.cookies).set('__Host-nd_csrf', other.csrf);
    assertProblem(await deck.admin.post('/api/security/audit-logs/notes', note, { cookies }), 403, 'csrf_invalid');
  });

  test('damaged tokens do not do', async () => {
    for (const csrf of ['', 'x', 'A'.repeat(4096), `${deck.admin.csrf}A`, deck.admin.csrf.slice(0, -1), ` ${deck.admin.csrf.slice(1)}`]) {
      const answer = await deck.admin.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf: csrf || null });
      assertProblem(answer, 403, 'csrf_invalid');
    }
  });
});

test('the right pair is accepted; so is a fresh one from /api/auth/csrf-token', async () => {
  const note = { text: 'a remark' };
  assert.equal((await deck.admin.post('/api/security/audit-logs/notes', note)).status, 201);
  const { json } = await deck.admin.get('/api/auth/csrf-token');
  assert.deepEqual(Object.keys(json), ['csrfToken']);
  assert.equal((await deck.admin.post('/api/security/audit-logs/notes', note, { csrf: json.csrfToken })).status, 201);
});

test('an older tab survives a refresh inside the grace, header and cookie of different age', async () => {
  const client = deck.client();
  await client.signIn(ADMIN);
  const old = client.csrf;
  assert.equal((await client.refresh()).status, 200);
  assert.equal((await client.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf: old })).status, 201);
});

test('two generations later it is stale, and re-reading the cookie helps', async () => {
  const client = deck.client();
  await client.signIn(ADMIN);
  const old = client.csrf;
  await client.refresh();
  await client.refresh();
  assertProblem(await client.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf: old }), 403, 'csrf_stale');
  const csrf = client.cookies.get('__Host-nd_csrf');
  assert.equal((await client.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf })).status, 201);
});

describe('where a request comes from', () => {
  const note = (headers) => deck.admin.post('/api/security/audit-logs/notes', { text: 'x' }, { headers });

  test('our own page may call', async () => {
    assert.equal((await note({ origin: deck.origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).status, 201);
  });
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1', 'https://127.0.0.1:PORT', 'http://127.0.0.1:PORT.evil.example',
    'http://127.0.0.1:PORT/', 'http://x@127.0.0.1:PORT']) {
    test(`Origin ${origin} is refused`, async () => {
      assertProblem(await note({ origin: origin.replace('PORT', deck.port) }), 403, 'forbidden');
    });
  }
  for (const site of ['cross-site', 'same-site', 'garbage']) {
    test(`Sec-Fetch-Site: ${site} is refused`, async () => {
      assertProblem(await note({ 'sec-fetch-site': site }), 403, 'forbidden');
    });
  }
  test('a foreign page cannot read either', async () => {
    const answer = await deck.admin.get('/api/auth/me', { headers: { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' } });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  });
  test('a foreign Host is misdirected: DNS rebinding finds nothing', async () => {
    for (const host of ['evil.example', `evil.example:${deck.port}`, '127.0.0.1.evil.example']) {
      assertProblem(await deck.client().get('/health', { headers: { host } }), 421, 'misdirected');
    }
  });
});

test('the refusals are in the audit log', async () => {
  const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=1000')).json;
  assert.ok(logs.some((record) => record.event === 'CSRF_REJECTED' && record.outcome === 'denied'));
});
