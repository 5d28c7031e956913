import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';
import { forgeries } from './lib/tokens.mjs';

const CANARY = 'CANARY-b4d1npu7';

let deck;
before(async () => { deck = await Deck.startWithAdmin(); });
after(() => deck?.end());

const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

// [what, method, path, body (object or text), status, code]
const CASES = [
  ['not JSON', 'POST', '/api/users', '{"userId":', 400],
  ['empty', 'POST', '/api/users', '', 400],
  ['an array', 'POST', '/api/users', '[]', 400],
  ['a string', 'POST', '/api/users', '"x"', 400],
  ['null', 'POST', '/api/users', 'null', 400],
  ['two values', 'POST', '/api/users', '{} {}', 400],
  ['a trailing comma', 'POST', '/api/users', '{"userId":"a",}', 400],
  ['a comment', 'POST', '/api/users', '{/**/}', 400],
  ['a byte order mark', 'POST', '/api/users', '\ufeff{}', 400],
  ['NaN', 'POST', '/api/chat', '{"messages":[{"role":"user","content":"x"}],"config":{"temperature":NaN}}', 400],
  ['a number as name', 'POST', '/api/users', { userId: 7, role: 'viewer', password: 'long enough for this' }, 400],
  ['an object as name', 'POST', '/api/users', { userId: {}, role: 'viewer', password: 'long enough for this' }, 400],
  ['a missing member', 'POST', '/api/users', { userId: 'x', role: 'viewer' }, 400],
  ['an unknown member', 'POST', '/api/users', { userId: 'x', role: 'viewer', password: 'long enough for this', admin: true }, 400],
  ['a member of Object.prototype', 'POST', '/api/users', '{"userId":"x","role":"viewer","password":"long enough for this","__proto__":{}}', 400],
  ['a duplicate member', 'POST', '/api/users', '{"userId":"x","userId":"y","role":"viewer","password":"long enough for this"}', 400],
  ['a duplicate member by escape', 'POST', '/api/users', '{"userId":"x","\\u0075serId":"y","role":"viewer","password":"long enough for this"}', 400],
  ['an unknown role', 'POST', '/api/users', { userId: 'x', role: 'root', password: 'long enough for this' }, 400],
  ['a name with a slash', 'POST', '/api/users', { userId: '../x', role: 'viewer', password: 'long enough for this' }, 400],
  ['a name with a NUL', 'POST', '/api/users', '{"userId":"x\\u0000y","role":"viewer","password":"long enough for this"}', 400],
  ['a name of 65 characters', 'POST', '/api/users', { userId: 'x'.repeat(65), role: 'viewer', password: 'long enough for this' }, 400],
  ['an empty name', 'POST', '/api/users', { userId: '', role: 'viewer', password: 'long enough for this' }, 400],
  ['a lone surrogate', 'POST', '/api/security/audit-logs/notes', '{"text":"\\ud800"}', 400],
  ['depth 33', 'POST', '/api/security/audit-logs/notes', `{"text":${nested(33)}}`, 400],
  ['a note of 4097 bytes', 'POST', '/api/security/audit-logs/notes', { text: 'x'.repeat(4_097) }, 400],
  ['a body over the limit', 'POST', '/api/security/audit-logs/notes', { text: 'x'.repeat(70_000) }, 413, 'too_large'],
  ['a key that is no text', 'POST', '/api/config/keys/openai', { apiKey: ['sk'] }, 400],
  ['an empty key', 'POST', '/api/config/keys/openai', { apiKey: '' }, 400],
  ['a key with a line break', 'POST', '/api/config/keys/openai', { apiKey: `sk-${CANARY}\r\nX-Evil: 1` }, 400],
  ['an unknown scope', 'POST', '/api/config/keys/openai', { apiKey: `sk-${CANARY}-0123456789`, scope: 'world' }, 400],
  ['an unknown provider', 'POST', '/api/config/keys/nobody', { apiKey: `sk-${CANARY}-0123456789` }, 404, 'not_found'],
  ['a provider of dots', 'POST', '/api/config/keys/..', { apiKey: `sk-${CANARY}-0123456789` }, 404, 'not_found'],
  ['apiKey in a chat', 'POST', '/api/chat', { messages: [{ role: 'user', content: 'x' }], config: { apiKey: `sk-${CANARY}` } }, 400],
  ['baseUrl in a chat', 'POST', '/api/chat', { messages: [{ role: 'user', content: 'x' }], config: { baseUrl: 'http://evil.example' } }, 400],
  ['apiKey beside the messages', 'POST', '/api/chat', { messages: [{ role: 'user', content: 'x' }], apiKey: `sk-${CANARY}` }, 400],
  ['no messages', 'POST', '/api/chat', { messages: [] }, 400],
  ['a password change without the old one', 'POST', '/api/auth/password', { newPassword: 'long enough for this' }, 400],
  ['an unknown query', 'GET', '/api/security/audit-logs?evil=1', undefined, 400],
  ['a limit of 0', 'GET', '/api/security/audit-logs?limit=0', undefined, 400],
  ['a limit of 1001', 'GET', '/api/security/audit-logs?limit=1001', undefined, 400],
  ['a limit that is no number', 'GET', '/api/security/audit-logs?limit=1e2', undefined, 400],
  ['a limit twice', 'GET', '/api/security/audit-logs?limit=1&limit=2', undefined, 400],
  ['a bad percent code', 'GET', '/api/security/audit-logs?cursor=%zz', undefined, 400],
  ['a made-up cursor', 'GET', '/api/security/audit-logs?cursor=AAAA', undefined, 400],
  ['a body where none belongs', 'POST', '/api/auth/logout', { now: true }, 400],
  ['an unknown path', 'GET', '/api/nothing', undefined, 404, 'not_found'],
  ['a wrong method', 'DELETE', '/api/auth/me', undefined, 405, 'method_not_allowed'],
  ['an unknown method', 'BREW', '/api/auth/me', undefined, 405, 'method_not_allowed'],
];

describe('bad input to our own routes', () => {
  for (const [what, method, path, body, status, code = 'invalid_request'] of CASES) {
    test(`${what}: ${status}`, async () => {
      const answer = await deck.admin.request(method, path, { body });
      assertProblem(answer, status, code);
      assert.doesNotMatch(answer.text, new RegExp(CANARY), 'input is not echoed');
    });
  }

  test('depth 32 is still read (and refused for what it is)', async () => {
    const answer = await deck.admin.post('/api/security/audit-logs/notes', `{"text":${nested(31)}}`);
    assertProblem(answer, 400, 'invalid_request');
    assert.doesNotMatch(answer.json.detail, /deep|depth|nest/i);
  });

  test('invalid UTF-8', async () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const body = Buffer.concat([Buffer.from('{"text":"'), Buffer.from(bytes), Buffer.from('"}')]);
      assertProblem(await deck.admin.post('/api/security/audit-logs/notes', body), 400, 'invalid_request');
    }
  });

  test('another media type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx',
      'application/json; charset=utf-16', 'application/json, text/plain', null]) {
      const answer = await deck.admin.post('/api/security/audit-logs/notes', '{"text":"x"}', { type });
      assertProblem(answer, 415, 'unsupported_media_type');
    }
  });

  test('405 names what would be allowed', async () => {
    const answer = await deck.admin.delete('/api/config/keys');
    assert.equal(answer.status, 405);
    assert.match(answer.headers.allow, /GET/);
  });

  test('refuses the agent route to people without the role before it reads the body', async () => {
    const viewer = await deck.user('small', 'viewer');
    assertProblem(await viewer.post('/api/users', '{"userId":'), 403, 'forbidden');
  });
});

describe('bad input to the provider-shaped routes', () => {
  let token;
  before(async () => { ({ token } = await deck.agentToken('admin', ['model:*'])); });
  const post = (path, body, options = {}) => deck.client().post(path, body, { token, ...options });

  for (const [what, body, status] of [
    ['not JSON', '{', 400], ['no model', { messages: [] }, 400], ['a number as model', { model: 1 }, 400],
    ['a duplicate model', '{"model":"a","model":"b"}', 400], ['depth 65', `{"model":"x","a":${nested(64)}}`, 400],
    ['a string as stream', { model: 'x', stream: 'yes' }, 400],
  ]) {
    test(`${what}: ${status} in OpenAI's and in Anthropic's shape`, async () => {
      const openai = await post('/v1/chat/completions', body);
      assert.equal(openai.status, status, openai.text);
      assert.equal(openai.json.error.type, 'invalid_request_error');
      assert.equal(typeof openai.json.error.message, 'string');
      const anthropic = await post('/v1/messages', body);
      assert.equal(anthropic.status, status, anthropic.text);
      assert.equal(anthropic.json.type, 'error');
      assert.equal(anthropic.json.error.type, 'invalid_request_error');
      assert.ok(openai.headers['x-request-id'] && anthropic.headers['x-request-id']);
    });
  }

  test('without a token: 401 in the protocol\'s shape', async () => {
    assert.equal((await post('/v1/chat/completions', {}, { token: null })).json.error.type, 'authentication_error');
    const anthropic = await post('/v1/messages', {}, { token: null });
    assert.equal(anthropic.status, 401);
    assert.equal(anthropic.json.error.type, 'authentication_error');
  });

  test('an unknown /v1 path is 404 in OpenAI\'s shape', async () => {
    const answer = await post('/v1/files', {});
    assert.equal(answer.status, 404);
    assert.ok(answer.json.error.message);
  });
});

describe('bad tokens', () => {
  test('forged ones of every kind are refused with 401 and told nothing', async () => {
    const client = deck.client();
    for (const [name, token] of Object.entries(forgeries(deck.admin.token))) {
      const answer = await client.get('/api/auth/me', { token });
      assertProblem(answer, 401, 'unauthenticated');
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/, name);
    }
  });

  test('a token in the wrong place is no token', async () => {
    const client = deck.client();
    const { token } = deck.admin;
    assertProblem(await client.get(`/api/auth/me?token=${token}`), 401, 'unauthenticated');
    assertProblem(await client.get('/api/auth/me', { headers: { authorization: token } }), 401, 'unauthenticated');
    assertProblem(await client.get('/api/auth/me', { headers: { authorization: `Basic ${Buffer.from('admin:x').toString('base64')}` } }), 401, 'unauthenticated');
    assertProblem(await client.get('/api/auth/me', { headers: { cookie: `token=${token}` } }), 401, 'unauthenticated');
    assertProblem(await client.get('/api/auth/me', { headers: { 'x-api-key': token } }), 401, 'unauthenticated');
  });

  test('identity headers of proxies are not believed in any spelling', async () => {
    const headers = { 'x-forwarded-user': 'admin', 'x_forwarded_user': 'admin', 'x-remote-user': 'admin', 'x-auth-request-user': 'admin' };
    assertProblem(await deck.client().get('/api/auth/me', { headers }), 401, 'unauthenticated');
    await deck.client().post('/api/auth/session', { userId: 'admin', password: 'wrong password here' }, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=20')).json;
    assert.ok(logs.every((record) => record.addr !== '203.0.113.9'), 'X-Forwarded-For of anyone is not believed');
  });

  test('agents get no further than their scopes and their user', async () => {
    const { token, id } = await deck.agentToken('admin', ['model:gpt-*']);
    assert.match(token, new RegExp(`^nda_${id}_`));
    const agent = deck.client();
    for (const path of ['/api/auth/me', '/api/users', '/api/config/keys', '/api/security/audit-logs', '/api/auth/sessions']) {
      assertProblem(await agent.get(path, { token }), 403, 'forbidden');
    }
    const other = await agent.post('/v1/chat/completions', { model: 'o1', messages: [] }, { token });
    assert.equal(other.status, 403, other.text);
    const tampered = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A');
    assertProblem(await agent.get('/api/auth/me', { token: tampered }), 401, 'unauthenticated');
    assert.equal((await deck.run(['token', 'revoke', id])).code, 0);
    assert.equal((await agent.post('/v1/chat/completions', { model: 'gpt-4', messages: [] }, { token })).status, 401);
  });
});

test('after all of this nothing has changed', async () => {
  const { users } = (await deck.admin.get('/api/users')).json;
  assert.deepEqual(users.map((user) => user.userId).sort(), ['admin', 'small']);
  assert.deepEqual((await deck.admin.get('/api/config/keys')).json, { providers: [] });
  await deck.client().signIn(ADMIN);
  assert.equal((await deck.client().get('/health')).json.status, 'ONLINE');
  assert.doesNotMatch(deck.output, new RegExp(CANARY), 'input does not get into the log');
});
