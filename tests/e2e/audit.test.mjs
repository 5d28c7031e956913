import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

const KEY = 'sk-audit-canary-0123456789abcdef';
let deck, provider;
before(async () => {
  provider = await startProvider({ key: KEY });
  deck = await Deck.startWithAdmin({ args: ['--provider', `openai=openai:${provider.url}`] });
});
after(async () => {
  await deck?.end();
  await provider?.stop();
});

const logs = async (query = 'limit=1000') => (await deck.admin.get(`/api/security/audit-logs?${query}`)).json;

test('every record has exactly the members of the format, in its order', async () => {
  await deck.admin.post('/api/config/keys/openai', { apiKey: KEY });
  const { json, headers } = await deck.admin.get('/api/security/audit-logs?limit=1000');
  assert.deepEqual(Object.keys(json), ['logs', 'count', 'next']);
  assert.equal(json.count, json.logs.length);
  assert.ok(headers['x-request-id']);
  for (const record of json.logs) {
    assert.deepEqual(Object.keys(record), ['ts', 'seq', 'event', 'vocab', 'actor', 'session', 'addr', 'req', 'action', 'target', 'phase',
      'outcome', 'reason', 'data', 'prev']);
    assert.match(record.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(Number.isInteger(record.seq) && record.seq > 0);
    assert.match(record.event, /^[A-Z_]+$/);
    assert.match(record.vocab, /^[a-z_]+$/);
    assert.deepEqual(Object.keys(record.actor), ['kind', 'id', 'for']);
    assert.ok(['user', 'agent', 'system', 'anonymous'].includes(record.actor.kind));
    assert.ok(['intent', 'outcome'].includes(record.phase));
    assert.ok(['success', 'failure', 'denied', 'unknown'].includes(record.outcome));
    assert.equal(record.phase === 'intent', record.outcome === 'unknown', JSON.stringify(record));
    assert.match(record.prev, /^[0-9a-f]{64}$/);
  }
  assert.deepEqual(json.logs.map((record) => record.seq), json.logs.map((record) => record.seq).sort((a, b) => b - a), 'newest first');
});

test('each act leaves its record', async () => {
  const { admin } = deck;
  const client = deck.client();
  await client.post('/api/auth/session', { userId: 'admin', password: 'certainly not this one' });
  await client.signIn(ADMIN);
  await client.refresh();
  await client.post('/api/auth/logout');
  await admin.post('/api/users', { userId: 'logged', role: 'operator', password: 'a password for logged' });
  await admin.patch('/api/users/logged', { role: 'viewer' });
  await admin.post('/api/config/keys/openai', { apiKey: KEY });
  await admin.post('/api/config/keys/openai/test');
  await admin.post('/v1/chat/completions', { model: 'test-model', messages: [{ role: 'user', content: 'private words' }] });
  await admin.post('/api/security/audit-logs/notes', { text: 'quarterly review done' });
  await admin.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf: null });
  await admin.delete('/api/config/keys/openai');

  const all = (await logs()).logs;
  const has = (what, match) => assert.ok(all.some((record) =>
    Object.entries(match).every(([name, value]) => record[name] === value)), `no record of ${what}`);
  has('the failed sign-in', { event: 'AUTH_ATTEMPT', outcome: 'failure', vocab: 'authn_login_fail', addr: '127.0.0.1' });
  has('the sign-in', { event: 'AUTH_ATTEMPT', outcome: 'success', vocab: 'authn_login_success' });
  has('the session', { event: 'SESSION_CREATE', outcome: 'success' });
  has('the refresh', { event: 'SESSION_REFRESH', outcome: 'success' });
  has('the logout', { event: 'SESSION_INVALIDATE', outcome: 'success' });
  has('the CSRF refusal', { event: 'CSRF_REJECTED', outcome: 'denied' });
  has('the note', { event: 'AUDIT_NOTE', outcome: 'success' });
  has('reading the log', { event: 'AUDIT_READ' });
  for (const [event, action] of [['USER_CHANGE', 'create'], ['USER_CHANGE', 'update'], ['API_KEY_OPERATION', 'update'],
    ['API_KEY_OPERATION', 'delete'], ['MODEL_CALL', 'call']]) {
    has(`the intent of ${event} ${action}`, { event, action, phase: 'intent' });
    has(`the outcome of ${event} ${action}`, { event, action, phase: 'outcome', outcome: 'success' });
  }
  const session = all.find((record) => record.event === 'SESSION_CREATE').session;
  assert.match(session, /^k/, 'sessions are told apart by a keyed hash');
  assert.ok(all.some((record) => record.data.text === 'quarterly review done'));
  assert.doesNotMatch(JSON.stringify(all), /private words|certainly not|canary|password for/);
});

test('the outcome tells what became of an act that was refused', async () => {
  await deck.admin.post('/api/users', { userId: 'logged', role: 'viewer', password: 'a password for logged' });
  const record = (await logs('limit=20')).logs.find((entry) => entry.event === 'USER_CHANGE' && entry.phase === 'outcome');
  assert.equal(record.outcome, 'failure');
  assert.equal(record.reason, 'conflict');
});

test('request ids lead from an answer to its records', async () => {
  const answer = await deck.admin.post('/api/security/audit-logs/notes', { text: 'find me' });
  const { logs: [...all] } = await logs('limit=50');
  const record = all.find((entry) => entry.req === answer.headers['x-request-id']);
  assert.equal(record?.data.text, 'find me');
  assert.equal(record.seq, answer.json.seq);
});

test('pages follow each other without gap or repetition, while records are added', async () => {
  const seen = [];
  let cursor = null;
  do {
    const page = await logs(`limit=7${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    assert.ok(page.logs.length <= 7);
    seen.push(...page.logs.map((record) => record.seq));
    cursor = page.next;
  } while (cursor);
  assert.equal(seen.at(-1), 1);
  assert.deepEqual(seen, Array.from({ length: seen[0] }, (_, n) => seen[0] - n));
});

test('the file is what the API told: a hash chain of whole lines, closed to others', async () => {
  const directory = path.join(deck.home.data, 'audit');
  assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
  const files = fs.readdirSync(directory).filter((name) => /^audit-\d{4}-\d\d-\d\d(\.\d+)?\.jsonl$/.test(name)).sort();
  let prev = '0'.repeat(64);
  let seq = 0;
  for (const name of files) {
    assert.equal(fs.statSync(path.join(directory, name)).mode & 0o777, 0o600);
    for (const line of fs.readFileSync(path.join(directory, name), 'utf8').split(/(?<=\n)/)) {
      assert.ok(line.endsWith('\n'));
      const record = JSON.parse(line);
      assert.equal(record.seq, ++seq);
      assert.equal(record.prev, prev);
      prev = crypto.createHash('sha256').update(line).digest('hex');
    }
  }
  assert.ok(seq > 10);
});

test('administrators and auditors read, nobody else; only they add notes', async () => {
  for (const [role, status] of [['auditor', 200], ['operator', 403], ['viewer', 403]]) {
    const user = await deck.user(`reads-${role}`, role);
    assert.equal((await user.get('/api/security/audit-logs')).status, status, role);
    assert.equal((await user.post('/api/security/audit-logs/notes', { text: 'x' })).status, status === 200 ? 201 : 403, role);
  }
  assertProblem(await deck.client().get('/api/security/audit-logs'), 401, 'unauthenticated');
});

test('a note cannot forge a line or carry a token', async () => {
  const text = 'end"}\n{"ts":"x","seq":1}\u2028\u007f nda_abcdefghijklmnop_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq';
  assert.equal((await deck.admin.post('/api/security/audit-logs/notes', { text })).status, 201);
  const record = (await logs('limit=5')).logs.find((entry) => entry.event === 'AUDIT_NOTE');
  assert.match(record.data.text, /end"\}\n\{"ts"/);
  assert.doesNotMatch(record.data.text, /ABCDEFGHIJKLMNOP/);
});

test('a torn last line after a crash is kept aside and told, and the log goes on', async () => {
  const { home, port } = deck;
  await deck.kill();
  const directory = path.join(home.data, 'audit');
  const last = fs.readdirSync(directory).filter((name) => name.endsWith('.jsonl')).sort().at(-1);
  const torn = '{"ts":"2026-01-01T00:00:00.000000Z","seq":99';
  fs.appendFileSync(path.join(directory, last), torn);
  deck = await Deck.start({ home, port, args: ['--provider', `openai=openai:${provider.url}`] });
  deck.admin = deck.client();
  await deck.admin.signIn(ADMIN);
  const kept = fs.readdirSync(directory).filter((name) => name.startsWith('torn-'));
  assert.equal(kept.length, 1);
  assert.equal(fs.readFileSync(path.join(directory, kept[0]), 'utf8'), torn);
  const { logs: all } = await logs();
  assert.ok(all.some((record) => record.event === 'CONFIG_CHANGE' && JSON.stringify(record).includes('torn')), 'it is told');
});
