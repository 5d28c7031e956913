import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

const KEY = 'sk-test-0123456789abcdefghijklmnopWXYZ';
let deck;
let provider;
before(async () => {
  provider = await startProvider({ key: KEY });
  deck = await Deck.startWithAdmin({ args: ['--provider', `openai=openai:${provider.url}`] });
});
after(async () => {
  await deck?.end();
  await provider?.stop();
});

test('a key goes in, is described, replaced, tested and deleted; it never comes out', async () => {
  const { admin } = deck;
  assert.deepEqual((await admin.get('/api/config/keys')).json, { providers: [] });
  assertProblem(await admin.get('/api/config/keys/openai'), 404, 'not_found');

  const stored = await admin.post('/api/config/keys/openai', { apiKey: KEY, label: 'the team key' });
  assert.equal(stored.status, 200, stored.text);
  assert.deepEqual(stored.json, { success: true, provider: 'openai' });

  const { providers } = (await admin.get('/api/config/keys')).json;
  assert.equal(providers.length, 1);
  const [row] = providers;
  assert.equal(row.provider, 'openai');
  assert.equal(row.label, 'the team key');
  assert.equal(row.scope, 'global');
  assert.equal(row.last4, 'WXYZ');
  assert.equal(row.lastUsedAt, null);
  assert.ok(row.status && row.createdAt && row.updatedAt);

  const one = (await admin.get('/api/config/keys/openai')).json;
  assert.equal(one.exists, true);
  assert.equal(one.masked, '…WXYZ');

  const tested = await admin.post('/api/config/keys/openai/test');
  assert.equal(tested.status, 200, tested.text);
  assert.equal(tested.json.success, true);

  assert.equal((await admin.put('/api/config/keys/openai', { apiKey: `${KEY}0000` })).status, 200);
  assert.equal((await admin.get('/api/config/keys/openai')).json.masked, '…0000');
  const rejected = (await admin.post('/api/config/keys/openai/test')).json;
  assert.equal(rejected.success, false);

  assert.deepEqual((await admin.delete('/api/config/keys/openai')).json, { success: true, provider: 'openai' });
  assertProblem(await admin.delete('/api/config/keys/openai'), 404, 'not_found');
  assert.deepEqual((await admin.get('/api/config/keys')).json, { providers: [] });
});

test("one's own key comes before the global one, and nobody else sees it", async () => {
  const operator = await deck.user('operator-1', 'operator');
  const other = await deck.user('operator-2', 'operator');
  await deck.admin.post('/api/config/keys/openai', { apiKey: 'sk-wrong-global-key-0000' });
  assertProblem(await operator.post('/api/config/keys/openai', { apiKey: KEY, scope: 'global' }), 403, 'forbidden');
  assert.equal((await operator.post('/api/config/keys/openai', { apiKey: KEY, scope: 'user' })).status, 200);

  assert.equal((await operator.get('/api/config/keys/openai')).json.scope, 'user');
  assert.equal((await other.get('/api/config/keys/openai')).json.scope, 'global');
  assert.deepEqual((await other.get('/api/config/keys')).json.providers.map((row) => row.scope), ['global']);

  const call = { model: 'test-model', messages: [{ role: 'user', content: 'hi' }] };
  assert.equal((await operator.post('/v1/chat/completions', call)).status, 200);
  assert.notEqual((await other.post('/v1/chat/completions', call)).status, 200);
  assert.notEqual((await operator.get('/api/config/keys/openai')).json.lastUsedAt, null);

  assertProblem(await operator.delete('/api/config/keys/openai?scope=global'), 403, 'forbidden');
  assert.equal((await operator.delete('/api/config/keys/openai?scope=user')).status, 200);
  assert.equal((await operator.get('/api/config/keys/openai')).json.scope, 'global');
});

test('a short key gives nothing of itself away', async () => {
  await deck.admin.put('/api/config/keys/openai', { apiKey: 'tiny-key' });
  const row = (await deck.admin.get('/api/config/keys/openai')).json;
  assert.equal(row.last4, '');
  assert.doesNotMatch(JSON.stringify(row), /-key/);
});

test('what is stored survives kill -9 and lies sealed, with modes that keep others out', async () => {
  await deck.admin.put('/api/config/keys/openai', { apiKey: KEY });
  const { home, port } = deck;
  await deck.kill();
  assert.equal(fs.statSync(home.data).mode & 0o777, 0o700);
  const sealed = path.join(home.data, 'secrets.enc');
  assert.equal(fs.statSync(sealed).mode & 0o777, 0o600);
  const bytes = fs.readFileSync(sealed);
  assert.ok(!bytes.includes(KEY) && !bytes.includes(Buffer.from(KEY).toString('base64')));
  const rootKeys = fs.readdirSync(path.join(home.config, 'neuraldeck')).filter((name) => name.endsWith('.key'));
  assert.equal(rootKeys.length, 1, 'the root key lies outside workspace and state folder');
  assert.equal(fs.statSync(path.join(home.config, 'neuraldeck', rootKeys[0])).mode & 0o777, 0o600);

  deck = await Deck.start({ home, port, args: ['--provider', `openai=openai:${provider.url}`] });
  deck.admin = deck.client();
  await deck.admin.signIn(ADMIN);
  assert.equal((await deck.admin.post('/api/config/keys/openai/test')).json.success, true);
});

test('rotation goes on while the deck serves, and everything still opens', async () => {
  const status = JSON.parse((await deck.run(['vault', 'status', '--json'])).stdout);
  const rotated = await deck.run(['vault', 'rotate', '--json']);
  assert.equal(rotated.code, 0, rotated.stderr);
  const after = JSON.parse(rotated.stdout);
  assert.notEqual(after.rootKeyId, status.rootKeyId);
  assert.equal((await deck.admin.post('/api/config/keys/openai/test')).json.success, true);
  assert.equal((await deck.run(['vault', 'check'])).code, 0);
});

test('a damaged record is reported as such, never as "not set"', async () => {
  const { home, port } = deck;
  await deck.stop();
  const sealed = path.join(home.data, 'secrets.enc');
  const whole = fs.readFileSync(sealed);
  const damaged = Buffer.from(whole);
  damaged[Math.floor(damaged.length / 2)] ^= 1;
  fs.writeFileSync(sealed, damaged);
  const check = await deck.run(['vault', 'check']);
  assert.notEqual(check.code, 0);
  assert.doesNotMatch(check.stdout + check.stderr, new RegExp(KEY));
  fs.writeFileSync(sealed, whole);
  deck = await Deck.start({ home, port, args: ['--provider', `openai=openai:${provider.url}`] });
});
