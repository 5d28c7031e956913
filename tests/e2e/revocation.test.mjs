// What ends with a session or an agent token, and what a deck that is told to stop does with what is under way.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck, until } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

const KEY = 'sk-revocation-0a1b2c3d4e5f6g7h8i9j';
const MESSAGES = [{ role: 'user', content: 'Say hello.' }];

let provider, deck;
before(async () => {
  provider = await startProvider({ key: KEY });
  const args = ['first', 'second', 'third'].flatMap((name) => ['--provider', `${name}=openai:${provider.url}`]);
  deck = await Deck.startWithAdmin({ args });
  for (const name of ['first', 'second', 'third']) await deck.admin.post(`/api/config/keys/${name}`, { apiKey: KEY });
});
after(async () => {
  await deck?.end();
  await provider?.stop();
});

const records = (home) => fs.readdirSync(path.join(home.data, 'audit')).filter((name) => name.endsWith('.jsonl')).sort()
  .flatMap((name) => fs.readFileSync(path.join(home.data, 'audit', name), 'utf8').trimEnd().split('\n')).map((line) => JSON.parse(line));

// Sends a header and part of the body, lets `between` happen, sends the rest, and gives the answer's text.
async function drip(client, method, target, body, between) {
  const bytes = Buffer.from(JSON.stringify(body));
  const socket = net.connect(client.port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString('latin1')));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write([`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${client.port}`, `Authorization: Bearer ${client.token}`,
    `X-CSRF-Token: ${client.csrf}`, `Cookie: ${[...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ')}`,
    'Content-Type: application/json', `Content-Length: ${bytes.length}`, 'Connection: close', '', ''].join('\r\n'));
  socket.write(bytes.subarray(0, 5));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await between();
  socket.write(bytes.subarray(5));
  await closed;
  return text;
}

describe('a request whose body takes its time', () => {
  test('does nothing for an administrator who was disabled meanwhile', async () => {
    const mallory = await deck.user('mallory', 'admin');
    const answer = await drip(mallory, 'POST', '/api/users', { userId: 'backdoor', role: 'admin', password: 'a backdoor password' },
      async () => assert.equal((await deck.admin.patch('/api/users/mallory', { disabled: true })).status, 200));
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assertProblem(await deck.admin.get('/api/users/backdoor'), 404, 'not_found');
  });
  test('does nothing after a logout', async () => {
    const carol = await deck.user('carol', 'operator');
    const answer = await drip(carol, 'POST', '/api/agents/tokens', { name: 'late', scopes: ['model:*'] },
      async () => assert.equal((await carol.fork().post('/api/auth/logout')).status, 200));
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.ok(!(await deck.admin.get('/api/agents/tokens')).json.tokens.some((token) => token.name === 'late'));
  });
});

// Opens a stream that never ends by itself; resolves with a promise of its end.
async function openStream(token, options = {}) {
  const known = provider.seen.length;
  const started = Date.now();
  const ended = deck.client().post('/v1/chat/completions', { model: 'slow', messages: MESSAGES, stream: true }, { token, ...options })
    .then(() => 'complete', () => 'broken').then((how) => ({ how, ms: Date.now() - started }));
  const seen = await until('the call upstream', () => provider.seen.slice(known).find((entry) => entry.model === 'slow' && entry.deltas > 2));
  return { ended, seen };
}

describe('a model answer under way', () => {
  const withSession = (client) => openStream(client.token, { csrf: client.csrf, cookies: client.cookies });
  for (const [what, name, end] of [
    ['its user is disabled', 'dora', (client) => deck.admin.patch('/api/users/dora', { disabled: true })],
    ['its user gets another role', 'emil', (client) => deck.admin.patch('/api/users/emil', { role: 'viewer' })],
    ['its session is logged out', 'fay', (client) => client.fork().post('/api/auth/logout')],
  ]) {
    test(`ends when ${what}`, async () => {
      const client = await deck.user(name, 'operator');
      const { ended, seen } = await withSession(client);
      assert.equal((await end(client)).status, 200);
      assert.equal((await ended).how, 'broken');
      await until('the provider to see the end', () => seen.disconnected, 3_000);
    });
  }
  test('ends when its agent token is revoked', async () => {
    const agent = await deck.agentToken('admin', ['model:*']);
    const { ended, seen } = await openStream(agent.token);
    assert.equal((await deck.admin.delete(`/api/agents/tokens/${agent.id}`)).status, 200);
    assert.equal((await ended).how, 'broken');
    await until('the provider to see the end', () => seen.disconnected, 3_000);
  });
  test('ends when its agent token expires', async () => {
    const agent = await deck.agentToken('admin', ['model:*'], '2s');
    const { ended } = await openStream(agent.token);
    const { how, ms } = await ended;
    assert.equal(how, 'broken');
    assert.ok(ms < 10_000, `${ms} ms`);
  });
});

test('sessions that nobody ended by hand leave a record of their end too', async () => {
  await deck.user('gus', 'operator');
  await deck.admin.patch('/api/users/gus', { disabled: true });
  const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=50')).json;
  const end = logs.find((record) => record.event === 'SESSION_INVALIDATE' && record.data.reason === 'user_disabled');
  assert.ok(end, 'SESSION_INVALIDATE by the system');
  assert.equal(end.actor.kind, 'system');
});

test('refused tokens and roles leave a record, and never the token', async () => {
  const forged = 'nda_aaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
  assert.equal((await deck.client().get('/api/auth/me', { token: forged })).status, 401);
  const viewer = await deck.user('hana', 'viewer');
  assert.equal((await viewer.get('/api/users')).status, 403);
  const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=50')).json;
  assert.ok(logs.some((record) => record.event === 'AUTH_ATTEMPT' && record.action === 'verify_token' && record.outcome === 'denied'));
  assert.ok(logs.some((record) => record.vocab === 'authz_fail' && record.actor.id === 'hana'));
  assert.ok(!JSON.stringify(logs).includes('bbbbbbbb'));
});

test('the record of a new agent token names the token', async () => {
  const made = await deck.admin.post('/api/agents/tokens', { name: 'joined', scopes: ['model:*'], expires: '1h' });
  assert.equal(made.status, 201);
  const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=20')).json;
  const outcome = logs.find((record) => record.action === 'create_token' && record.phase === 'outcome');
  assert.equal(outcome.target, made.json.id);
  assert.equal(outcome.data.expiresAt, made.json.expiresAt);
});

test('setup without the token leaves no name and no intent in the log', async () => {
  const answer = await deck.client().post('/api/setup', { setupToken: 'x'.repeat(40), userId: 'typed-by-mistake', password: 'whatever it may be' });
  assert.ok([401, 409].includes(answer.status), answer.text);
  const log = records(deck.home);
  assert.ok(!JSON.stringify(log).includes('typed-by-mistake'));
  assert.ok(log.some((record) => record.event === 'AUTH_ATTEMPT' && record.action === 'setup' && record.outcome === 'denied'));
});

test('a fresh CSRF cookie lives as long as the session, not as long as the access token', async (t) => {
  const short = await Deck.startWithAdmin({ env: { SESSION_EXPIRY: '120' } });
  t.after(() => short.end());
  const answer = await short.admin.get('/api/auth/csrf-token');
  const left = Number(answer.cookies[0].attributes['max-age']);
  assert.ok(left > 7 * 86_400 - 60, `${left}`);
});

test('a key whose provider is gone from the configuration can still be removed', async (t) => {
  const before = await Deck.startWithAdmin({ args: ['--provider', `gone=openai:${provider.url}`] });
  t.after(() => before.home.remove());
  assert.equal((await before.admin.put('/api/config/keys/gone', { apiKey: KEY })).status, 200);
  await before.stop();
  const now = await Deck.start({ home: before.home });
  try {
    const admin = now.client();
    await admin.signIn(ADMIN);
    assert.equal((await admin.get('/api/config/keys/gone')).status, 200);
    assert.equal((await admin.put('/api/config/keys/gone', { apiKey: KEY })).status, 404);
    assert.equal((await admin.delete('/api/config/keys/gone')).status, 200);
  } finally {
    await now.stop();
  }
});

// One stop waits out the patience for calls that hang; the others come at different moments of a command.
test('a stop meets calls, model lists and commands under way without a crash', async (t) => {
  for (let round = 0; round < 6; ++round) {
    const args = ['first', 'second'].flatMap((name) => ['--provider', `${name}=openai:${provider.url}`]);
    const victim = await Deck.startWithAdmin({ args });
    t.after(() => victim.home.remove());
    const under_way = [];
    if (round === 0) {
      for (const name of ['first', 'second']) await victim.admin.post(`/api/config/keys/${name}`, { apiKey: KEY });
      const agent = await victim.agentToken('admin', ['model:*']);
      const quietly = (promise) => under_way.push(promise.catch(() => {}));
      for (const model of ['silent', 'slow', 'second/silent']) {
        for (const stream of [true, false]) {
          quietly(victim.client().post('/v1/chat/completions', { model, messages: MESSAGES, stream }, { token: agent.token }));
        }
      }
      for (let i = 0; i < 8; ++i) quietly(victim.client().get('/v1/models', { token: agent.token }));
    }
    const command = victim.run(['user', 'add', `late-${round}`, '--role', 'viewer', '--password-stdin'], { input: 'a late password 123' });
    await new Promise((resolve) => setTimeout(resolve, 10 + 15 * round));
    const exit = await victim.stop(35_000);
    assert.equal(exit.code, 0, victim.output);
    assert.doesNotMatch(victim.output, /signal|by force/);
    const { code } = await command;
    await Promise.all(under_way);
    // What the command was told is what is true.
    const listed = await victim.run(['user', 'list', '--json']);
    if (code === 0) assert.ok(listed.stdout.includes(`late-${round}`));
  }
});
