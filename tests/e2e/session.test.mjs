import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

let deck;
before(async () => { deck = await Deck.startWithAdmin(); });
after(() => deck?.end());

const signedIn = async () => {
  const client = deck.client();
  client.grant = await client.signIn(ADMIN);
  return client;
};

describe('signing in', () => {
  test('answers with the grant and two strict cookies', async () => {
    const client = await signedIn();
    const { json, cookies, headers } = client.grant;
    assert.deepEqual(Object.keys(json).sort(), ['csrfToken', 'expiresIn', 'role', 'token', 'tokenType', 'userId']);
    assert.equal(json.tokenType, 'Bearer');
    assert.equal(json.userId, 'admin');
    assert.equal(json.role, 'admin');
    assert.equal(json.expiresIn, 86_400);
    assert.equal(headers['cache-control'], 'no-store');

    assert.deepEqual(cookies.map((cookie) => cookie.name).sort(), ['__Host-nd_csrf', '__Host-nd_refresh']);
    for (const { name, value, attributes } of cookies) {
      assert.equal(attributes.path, '/', name);
      assert.equal(attributes.secure, true, name);
      assert.match(attributes.samesite, /^strict$/i, name);
      assert.equal(attributes.domain, undefined, name);
      const left = Number(attributes['max-age']);
      assert.ok(left > 7 * 86_400 - 60 && left <= 7 * 86_400, `${name} lives to the session's end: ${left}`);
      assert.equal(attributes.httponly ?? false, name === '__Host-nd_refresh', name);
      assert.ok(value.length >= 43, name);
    }
    assert.equal(client.cookies.get('__Host-nd_csrf'), json.csrfToken);
  });

  test('gives a JWT that says what it must and no more', async () => {
    const client = await signedIn();
    const [header, payload] = client.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.equal(header.alg, 'HS256');
    assert.ok(header.kid && header.typ);
    for (const claim of ['iss', 'aud', 'sub', 'sid', 'iat', 'exp', 'jti']) assert.ok(payload[claim], claim);
    assert.equal(payload.sub, 'admin');
    assert.equal(payload.exp - payload.iat, 86_400);
    assert.deepEqual(Object.keys(payload).filter((name) => /pass|key|secret|csrf|refresh/i.test(name)), []);
  });

  test('knows one account under each spelling of its name', async () => {
    const answer = await deck.client().signIn({ userId: ' Admin ', password: ADMIN.password });
    assert.equal(answer.json.userId, 'admin');
  });

  test('tells an unknown user and a wrong password apart to nobody', async () => {
    const client = deck.client();
    const wrong = await client.post('/api/auth/session', { userId: 'admin', password: 'not this one, sorry' });
    const unknown = await client.post('/api/auth/session', { userId: 'nobody', password: 'not this one, sorry' });
    const strip = ({ requestId: _, instance: __, ...rest }) => rest;
    assert.deepEqual(strip(assertProblem(wrong, 401, 'unauthenticated')), strip(assertProblem(unknown, 401, 'unauthenticated')));
    assert.equal(wrong.cookies.length, 0);
  });

  test('slows guessing down and says for how long', async () => {
    await deck.admin.post('/api/users', { userId: 'guessed', role: 'viewer', password: 'a password nobody guesses' });
    const client = deck.client();
    let refused;
    for (let n = 0; n < 20 && !refused; n++) {
      const answer = await client.post('/api/auth/session', { userId: 'guessed', password: `guess number ${n}` });
      if (answer.status === 429) refused = answer;
      else assert.equal(answer.status, 401);
    }
    assertProblem(refused, 429, 'rate_limited');
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    // Another spelling is no way round; unlocking is.
    assert.equal((await client.post('/api/auth/session', { userId: ' GUESSED ', password: 'x'.repeat(20) })).status, 429);
    assert.equal((await deck.run(['user', 'unlock', 'guessed'])).code, 0);
    const unlocked = await client.post('/api/auth/session', { userId: 'guessed', password: 'a password nobody guesses' });
    assert.ok([200, 429].includes(unlocked.status), unlocked.text);
    await deck.run(['user', 'unlock']);
  });
});

describe('refreshing', () => {
  test('renews everything', async () => {
    const client = await signedIn();
    const before = { token: client.token, csrf: client.csrf, cookies: new Map(client.cookies) };
    const answer = await client.refresh();
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ['csrfToken', 'expiresIn', 'role', 'token', 'tokenType', 'userId']);
    assert.notEqual(client.token, before.token);
    assert.notEqual(client.csrf, before.csrf);
    assert.notEqual(client.cookies.get('__Host-nd_refresh'), before.cookies.get('__Host-nd_refresh'));
    assert.equal((await client.get('/api/auth/me')).status, 200);
  });

  test('gives two tabs inside the grace the identical token', async () => {
    const one = await signedIn();
    const two = one.fork();
    const [first, second] = await Promise.all([one.refresh(), two.refresh()]);
    assert.equal(first.status, 200, first.text);
    assert.equal(second.status, 200, second.text);
    assert.equal(one.cookies.get('__Host-nd_refresh'), two.cookies.get('__Host-nd_refresh'));
    assert.equal((await one.refresh()).status, 200);
  });

  test('survives 32 tabs at once with one live token', async () => {
    const tabs = [await signedIn()];
    for (let n = 1; n < 32; n++) tabs.push(tabs[0].fork());
    const answers = await Promise.all(tabs.map((tab) => tab.refresh()));
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
    assert.equal(new Set(tabs.map((tab) => tab.cookies.get('__Host-nd_refresh'))).size, 1);
  });

  test('sees an old token two generations later as a replay and ends the family', async () => {
    const client = await signedIn();
    const thief = client.fork();
    await client.refresh();
    await client.refresh();
    const replay = await thief.refresh();
    assertProblem(replay, 401, 'session_ended');
    assertProblem(await client.get('/api/auth/me'), 401, 'session_ended');
    assertProblem(await client.refresh(), 401, 'session_ended');
    const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=50')).json;
    assert.ok(logs.some((record) => record.event === 'REFRESH_REUSE' && record.outcome === 'denied'), 'the replay is in the log');
  });

  test('does nothing without the CSRF token of the same generation, and costs the session nothing', async () => {
    const client = await signedIn();
    assertProblem(await client.refresh({ csrf: null }), 403, 'csrf_invalid');
    assertProblem(await client.refresh({ csrf: 'A'.repeat(64) }), 403, 'csrf_invalid');
    const other = await signedIn();
    assertProblem(await client.refresh({ csrf: other.csrf }), 403, 'csrf_invalid');
    assert.equal((await client.refresh()).status, 200);
  });

  test('refuses a missing, a foreign and a damaged token', async () => {
    const client = await signedIn();
    assertProblem(await client.refresh({ cookies: null }), 401, 'unauthenticated');
    const cookies = new Map(client.cookies).set('__Host-nd_refresh', 'A'.repeat(86));
    assertProblem(await client.refresh({ cookies }), 401, 'unauthenticated');
    assert.equal((await client.refresh()).status, 200);
  });

  test('does not take the access token for a refresh token, nor the other way round', async () => {
    const client = await signedIn();
    const cookies = new Map(client.cookies).set('__Host-nd_refresh', client.token);
    assert.equal((await client.refresh({ cookies })).status, 401);
    assertProblem(await client.get('/api/auth/me', { token: client.cookies.get('__Host-nd_refresh') }), 401, 'unauthenticated');
  });
});

describe('the session table is the truth', () => {
  test('me tells who I am', async () => {
    const client = await signedIn();
    const { json } = await client.get('/api/auth/me');
    assert.equal(json.userId, 'admin');
    assert.equal(json.role, 'admin');
  });

  test('logout ends the session at the next request and clears the cookies', async () => {
    const client = await signedIn();
    const answer = await client.post('/api/auth/logout');
    assert.deepEqual(answer.json, { success: true });
    assert.deepEqual(answer.cookies.map((cookie) => cookie.attributes['max-age']), ['0', '0']);
    assertProblem(await client.get('/api/auth/me'), 401, 'session_ended');
  });

  test('a listed session can be ended from elsewhere', async () => {
    const one = await signedIn();
    const two = await signedIn();
    const { sessions } = (await one.get('/api/auth/sessions')).json;
    for (const name of ['id', 'createdAt', 'lastSeenAt', 'address', 'userAgent', 'current']) {
      assert.ok(name in sessions[0], name);
    }
    assert.equal(sessions.filter((session) => session.current).length, 1);
    const sid = JSON.parse(Buffer.from(two.token.split('.')[1], 'base64url')).sid;
    const victim = sessions.find((session) => session.id === sid) ?? sessions.find((session) => !session.current);
    assert.ok(victim, 'the other session is in the list');
    assert.deepEqual((await one.delete(`/api/auth/sessions/${victim.id}`)).json, { success: true });
    assertProblem(await two.get('/api/auth/me'), 401, 'session_ended');
    assert.equal((await one.get('/api/auth/me')).status, 200);
    assertProblem(await one.delete(`/api/auth/sessions/${victim.id}`), 404, 'not_found');
  });

  test("another's session is not found, not forbidden", async () => {
    const viewer = await deck.user('peeking', 'viewer');
    const { sessions } = (await deck.admin.get('/api/auth/sessions')).json;
    const mine = sessions.find((session) => session.current);
    assertProblem(await viewer.delete(`/api/auth/sessions/${mine.id}`), 404, 'not_found');
    assert.equal((await deck.admin.get('/api/auth/me')).status, 200);
  });

  test('ending all sessions ends all of them', async () => {
    const user = await deck.user('everywhere', 'operator');
    const again = deck.client();
    await again.signIn({ userId: 'everywhere', password: 'password of everywhere 1234' });
    assert.deepEqual((await user.delete('/api/auth/sessions')).json, { success: true });
    assert.equal((await user.get('/api/auth/me')).status, 401);
    assert.equal((await again.get('/api/auth/me')).status, 401);
  });

  test('a role change, a password change and a disabled account end what was open', async () => {
    for (const change of [{ role: 'viewer' }, { password: 'another fine password 99' }, { disabled: true }]) {
      const name = `changed-${Object.keys(change)[0]}`;
      const user = await deck.user(name, 'operator');
      assert.equal((await deck.admin.patch(`/api/users/${name}`, change)).status, 200);
      assertProblem(await user.get('/api/auth/me'), 401, 'session_ended');
      assert.equal((await user.refresh()).status, 401);
    }
  });

  test('the last administrator cannot be lost', async () => {
    assertProblem(await deck.admin.patch('/api/users/admin', { role: 'viewer' }), 409, 'conflict');
    assertProblem(await deck.admin.patch('/api/users/admin', { disabled: true }), 409, 'conflict');
  });

  test('roles are kept', async () => {
    const viewer = await deck.user('viewer-1', 'viewer');
    const auditor = await deck.user('auditor-1', 'auditor');
    for (const path of ['/api/users', '/api/config/keys', '/api/security/audit-logs', '/api/status']) {
      assertProblem(await viewer.get(path), 403, 'forbidden');
    }
    for (const path of ['/api/users', '/api/config/keys', '/v1/models']) {
      assert.equal((await auditor.get(path)).status, 403, path);
    }
    assert.equal((await auditor.get('/api/security/audit-logs')).status, 200);
    assert.equal((await auditor.get('/api/status')).status, 200);
  });
});

test('sessions and tokens outlive a restart, also one by kill -9', async (t) => {
  const first = await Deck.startWithAdmin();
  t.after(() => first.home.remove());
  const client = first.admin;
  await client.refresh();
  await first.kill();
  const second = await Deck.start({ home: first.home, port: first.port });
  try {
    assert.equal((await client.get('/api/auth/me')).status, 200);
    assert.equal((await client.refresh()).status, 200);
  } finally {
    await second.stop();
  }
});

test('SESSION_EXPIRY sets the life of the access token; an expired one is refused', async (t) => {
  const short = await Deck.startWithAdmin({ env: { SESSION_EXPIRY: '1' } });
  t.after(() => short.end());
  const answer = await short.client().signIn(ADMIN);
  assert.equal(answer.json.expiresIn, 1);
  const { exp } = JSON.parse(Buffer.from(answer.json.token.split('.')[1], 'base64url'));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, (exp + 1) * 1_000 - Date.now())));
  assertProblem(await short.client().get('/api/auth/me', { token: answer.json.token }), 401, 'unauthenticated');
});
