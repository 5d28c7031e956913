// Plants secrets that would be recognised anywhere, exercises everything, then looks for them everywhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { raw, transcript } from './lib/client.mjs';
import { BINARY, Deck, Home, readText, until } from './lib/deck.mjs';
import { Canaries, filesBelow, searchMemory } from './lib/search.mjs';

const PROVIDER_SECRETS = {
  'the OpenAI key': 'sk-canary-openai-q7w8e9r0t1y2u3i4o5p6',
  'the Anthropic key': 'sk-ant-canary-z1x2c3v4b5n6m7a8s9d0',
  'a personal key': 'sk-canary-personal-l0k9j8h7g6f5d4s3',
  'a key set by command': 'sk-canary-cli-m9n8b7v6c5x4z3l2k1',
  'a key that the provider does not know': 'sk-canary-unknown-p0o9i8u7y6t5r4e3w2',
};
// A key wherever a hurried person might put it; one for each place, so that a finding says where it came from.
const misplaced = (place) => {
  const name = `a key misplaced as ${place}`;
  return (PROVIDER_SECRETS[name] ??= `sk-canary-misplaced-${Object.keys(PROVIDER_SECRETS).length}-p0o9i8u7y6t5r4e3w2`);
};
const PLACES = ['user id', 'unknown member', 'two members', 'the same member twice', 'broken JSON', 'key with a line break', 'text/plain',
  'body without CSRF token', 'body for an unknown provider', 'provider name', 'note', 'chat setting', 'model token', 'session token',
  'query', 'x-api-key header', 'cookie', 'user agent', 'referer', 'Host', 'second Authorization', 'request line'];
const PASSWORDS = {
  "the administrator's password": 'canary-password-admin-83hf7s',
  "a user's password": 'canary-password-user-92kd8a',
  'a password set by command': 'canary-password-cli-11jq5m',
  'a wrong password': 'canary-password-wrong-77xz4v',
};
const JWT_SECRET = 'canary-jwt-secret-4r8t2y6u1i9o3p7a5s0d';

PLACES.forEach(misplaced);
const secrets = new Canaries({ ...PROVIDER_SECRETS, ...PASSWORDS });
// A note is free text that the front passes on: a key in it is kept out of the log, but is not hunted down in memory.
const inMemory = new Canaries({ ...Object.fromEntries(Object.entries(PROVIDER_SECRETS).filter(([name]) => !name.endsWith(' note'))), ...PASSWORDS });
const secretsAndJwt = new Canaries({ ...PROVIDER_SECRETS, ...PASSWORDS, JWT_SECRET });
const issued = {};  // tokens handed out on the way: right in answers, wrong in files and logs
let deck, openai, anthropic, home;
let commandOutput = '';

const runKept = async (args, options) => {
  const result = await deck.run(args, options);
  commandOutput += result.stdout + result.stderr;
  return result;
};

before(async () => {
  openai = await startProvider({ key: PROVIDER_SECRETS['the OpenAI key'] });
  anthropic = await startProvider({ key: PROVIDER_SECRETS['the Anthropic key'] });
  home = new Home();
  deck = await Deck.start({ home, env: { JWT_SECRET },
    args: ['--provider', `openai=openai:${openai.url}`, '--provider', `anthropic=anthropic:${anthropic.origin}`] });
  await exercise();
});
after(async () => {
  await deck?.stop();
  home?.remove();
  await openai?.stop();
  await anthropic?.stop();
});

async function exercise() {
  const key = PROVIDER_SECRETS;
  const password = PASSWORDS;
  const admin = deck.client();
  const setupToken = await deck.setupToken();
  await admin.post('/api/setup', { setupToken: 'x'.repeat(43), userId: 'admin', password: password["the administrator's password"] });
  await admin.post('/api/setup', { setupToken, userId: 'admin', password: password["the administrator's password"] });
  await admin.post('/api/auth/session', { userId: 'admin', password: password['a wrong password'] });
  await admin.post('/api/auth/session', { userId: misplaced('user id'), password: password['a wrong password'] });
  await admin.post('/api/auth/session', `{"userId":"admin","password":"${password['a wrong password']}"`);
  await admin.post('/api/auth/session', { userId: 'admin', password: password['a wrong password'], extra: 1 });
  await admin.signIn({ userId: 'admin', password: password["the administrator's password"] });
  issued['an access token'] = admin.token;
  issued['a refresh token'] = admin.cookies.get('__Host-nd_refresh');
  await admin.refresh();
  issued['a second refresh token'] = admin.cookies.get('__Host-nd_refresh');

  await admin.post('/api/users', { userId: 'user', role: 'operator', password: password["a user's password"] });
  await admin.post('/api/users', { userId: 'user', role: 'operator', password: password["a user's password"] });
  const user = deck.client();
  await user.signIn({ userId: 'user', password: password["a user's password"] });
  await user.post('/api/auth/password', { currentPassword: password['a wrong password'], newPassword: password["a user's password"] });
  await runKept(['user', 'add', 'cli', '--role', 'viewer', '--password-stdin'], { input: password['a password set by command'] });

  await admin.post('/api/config/keys/openai', { apiKey: key['a key that the provider does not know'], label: 'x' });
  await admin.put('/api/config/keys/openai', { apiKey: key['the OpenAI key'], label: 'team' });
  await admin.post('/api/config/keys/anthropic', { apiKey: key['the Anthropic key'] });
  await user.post('/api/config/keys/openai', { apiKey: key['a personal key'], scope: 'user' });
  await user.post('/api/config/keys/openai/test');
  await user.delete('/api/config/keys/openai?scope=user');
  await runKept(['keys', 'set', 'openai', '--owner', 'cli', '--key-stdin'], { input: key['a key set by command'] });
  const put = (body, options) => admin.post('/api/config/keys/openai', body, options);
  await put({ api_key: misplaced('unknown member') });
  await put({ apiKey: misplaced('two members'), apikey: misplaced('two members') });
  await put(`{"apiKey":"${misplaced('the same member twice')}","apiKey":"${misplaced('the same member twice')}"}`);
  await put(`{"apiKey":"${misplaced('broken JSON')}`);
  await put({ apiKey: `${misplaced('key with a line break')}\n` });
  await put(misplaced('text/plain'), { type: 'text/plain' });
  await put({ apiKey: misplaced('body without CSRF token') }, { csrf: null });
  await admin.post('/api/config/keys/nobody', { apiKey: misplaced('body for an unknown provider') });
  await admin.post(`/api/config/keys/${misplaced('provider name')}`, { apiKey: 'sk-x-0123456789' });
  await admin.post('/api/security/audit-logs/notes', { text: `we changed the key to ${misplaced('note')} today` });
  await admin.post('/api/chat', { messages: [{ role: 'user', content: 'x' }], config: { apiKey: misplaced('chat setting') } });
  await admin.get('/v1/models', { token: misplaced('model token') });
  await admin.get('/api/auth/me', { token: misplaced('session token') });
  await admin.get(`/api/auth/me?key=${misplaced('query')}`);
  for (const [name, place] of [['x-api-key', 'x-api-key header'], ['cookie', 'cookie'], ['user-agent', 'user agent'], ['referer', 'referer']]) {
    await admin.get('/nowhere', { headers: { [name]: name === 'cookie' ? `k=${misplaced(place)}` : misplaced(place) } });
  }
  await raw(deck.port, `GET / HTTP/1.1\r\nHost: ${misplaced('Host')}\r\nAuthorization: Bearer x\r\nAuthorization: ${misplaced('second Authorization')}\r\n\r\n`);
  await raw(deck.port, `${misplaced('request line')} ${misplaced('request line')}\r\n\r\n`);

  const token = JSON.parse((await deck.run(['token', 'create', '--user', 'admin', '--name', 'leak', '--scope', 'model:*', '--expires', '1h',
    '--json'])).stdout).token;
  issued['an agent token'] = token;
  const agent = deck.client();
  const messages = [{ role: 'user', content: 'x' }];
  for (const model of ['test-model', 'echo-key', 'echo-key-stream', 'rate-limited', 'server-error', 'redirect', 'nothing']) {
    for (const stream of [false, true]) {
      await agent.post('/v1/chat/completions', { model, messages, stream }, { token });
      await agent.post('/v1/messages', { model, messages, stream, max_tokens: 5 }, { token, headers: { 'anthropic-version': '2023-06-01' } });
    }
    await admin.post('/api/chat', { messages, config: { model } });
  }
  await agent.get('/v1/models', { token });
  for (const path of ['/', '/health', '/metrics', '/api/status', '/api/config/keys', '/api/config/keys/openai', '/api/auth/sessions',
    '/api/users', '/api/agents/tokens', '/api/security/audit-logs?limit=1000', '/api/auth/csrf-token']) await admin.get(path);
  for (const args of [['keys', 'list'], ['keys', 'test', 'openai'], ['vault', 'status'], ['vault', 'rotate'], ['vault', 'check'],
    ['user', 'list'], ['token', 'list'], ['config', 'show'], ['doctor']]) {
    await runKept([...args, '--json']);
    await runKept(args);
  }
  await user.post('/api/auth/logout');
}

test('no answer holds a key or a password', () => {
  const found = transcript.flatMap((answer) =>
    secrets.in(`${JSON.stringify(answer.rawHeaders)}${answer.text}`).map((name) => `${name} in ${answer.what} (${answer.status})`));
  assert.deepEqual(found, []);
  assert.ok(transcript.length > 80);
});

test('neither does the output of the server or of a command', () => {
  assert.deepEqual(secretsAndJwt.in(deck.output), []);
  assert.deepEqual(secretsAndJwt.in(commandOutput), []);
  assert.deepEqual(new Canaries(issued).in(deck.output), [], 'nor does the log tell of tokens');
});

test('neither does a file, sealed or not, outside and inside the state folder', () => {
  const all = new Canaries({ ...PROVIDER_SECRETS, ...PASSWORDS, JWT_SECRET, ...issued });
  const found = [];
  let files = 0;
  for (const file of filesBelow(home.root)) {
    files++;
    found.push(...all.in(fs.readFileSync(file)).map((name) => `${name} in ${path.relative(home.root, file)}`));
  }
  assert.deepEqual(found, []);
  assert.ok(files >= 4, 'vault, root key, store and log were searched');
});

test('neither does the command line or environment of a process', () => {
  const pids = deck.processes();
  assert.ok(pids.length >= 3);
  for (const pid of pids) {
    for (const name of ['cmdline', 'environ', 'comm', 'status']) {
      assert.deepEqual(secretsAndJwt.in(readText(`/proc/${pid}/${name}`)), [], `/proc/${pid}/${name}`);
    }
  }
});

test('no process writes a core', () => {
  for (const pid of deck.processes()) assert.match(readText(`/proc/${pid}/limits`), /Max core file size\s+0\s+0\s/);
});

test('the front holds neither the vault nor the root key open', () => {
  for (const pid of deck.processes()) {
    if (!/front/.test(readText(`/proc/${pid}/comm`))) continue;
    for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
      let goal = '';
      try {
        goal = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        continue;
      }
      assert.doesNotMatch(goal, /secrets\.enc|\.key$|\.key\.next$/);
    }
  }
});

test('the memory of supervisor and front holds no key and no password', { skip: process.getuid() !== 0 && 'needs root' }, async (t) => {
  // Answers are sent before buffers are wiped: give the last ones a turn.
  await until('the deck to be quiet', () => deck.answers());
  for (const pid of deck.processes()) {
    const name = readText(`/proc/${pid}/comm`).trim();
    if (/keeper/.test(name)) continue;
    const size = Number(/VmSize:\s+(\d+)/.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0);
    if (size > 64 << 20) return t.skip('a sanitizer\'s shadow memory is too large to search');
    const { hits, searched } = searchMemory(pid, inMemory, 'canary');
    assert.ok(searched > 1 << 20, `${name}: ${searched} bytes were searched`);
    assert.deepEqual(hits, [], name);
  }
});

test('and the search would have found one: this process holds them all', { skip: process.getuid() !== 0 && 'needs root' }, () => {
  const { hits } = searchMemory(process.pid, new Canaries({ key: PROVIDER_SECRETS['the OpenAI key'] }), 'canary');
  assert.ok(hits.length > 0);
});

test('as an ordinary user: others of the same user cannot look into it', { skip: process.getuid() !== 0 && 'needs root' }, async (t) => {
  const NOBODY = 65_534;
  const other = new Home();
  const binary = path.join(other.root, 'neuraldeck');
  fs.copyFileSync(BINARY, binary);
  for (const file of [other.root, other.workspace, other.config]) fs.chownSync(file, NOBODY, NOBODY);
  const low = await Deck.start({ home: other, wrap: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'], binary });
  t.after(() => low.end());
  for (const pid of low.processes()) {
    for (const name of ['mem', 'environ', 'maps']) {
      const read = spawnSync('setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', 'head', '-c', '1', `/proc/${pid}/${name}`],
        { encoding: 'latin1' });
      assert.notEqual(read.status, 0, `/proc/${pid}/${name} is closed`);
    }
  }
});
