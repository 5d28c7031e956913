import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ADMIN, Deck } from './lib/deck.mjs';
import { assertProblem } from './lib/expect.mjs';

test('the first start', async (t) => {
  const deck = await Deck.start();
  t.after(() => deck.end());
  const client = deck.client();

  await t.test('prints a link that carries the token in the fragment, where no proxy log sees it', async () => {
    const token = await deck.setupToken();
    assert.ok(token.length >= 32, 'long enough not to be guessed');
    assert.match(deck.output, new RegExp(`http://127\\.0\\.0\\.1:${deck.port}/setup#`));
  });
  await t.test('has no account that anyone could know', async () => {
    for (const [userId, password] of [['admin', 'admin'], ['admin', ''], ['admin', 'password'], ['root', 'root']]) {
      const answer = await client.post('/api/auth/session', { userId, password });
      assert.ok([400, 401].includes(answer.status), `${userId}: ${answer.status}`);
    }
  });
  await t.test('says on its page what to do', async () => {
    const page = await client.get('/');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /setup/i);
    assert.doesNotMatch(page.text, /<script/i);
  });
  await t.test('refuses a wrong token', async () => {
    const answer = await client.post('/api/setup', { setupToken: 'A'.repeat(43), ...ADMIN });
    assertProblem(answer, 401, 'unauthenticated');
  });
  await t.test('refuses a weak password and keeps the token for a better one', async () => {
    const answer = await client.post('/api/setup', { setupToken: await deck.setupToken(), userId: 'admin', password: 'short' });
    assertProblem(answer, 400, 'invalid_request');
  });
  await t.test('makes the administrator', async () => {
    const answer = await client.post('/api/setup', { setupToken: await deck.setupToken(), ...ADMIN });
    assert.ok([200, 201].includes(answer.status), answer.text);
    const grant = await client.signIn(ADMIN);
    assert.equal(grant.json.role, 'admin');
  });
  await t.test('does so once', async () => {
    const answer = await client.post('/api/setup', { setupToken: await deck.setupToken(), userId: 'second', password: ADMIN.password });
    assert.ok([401, 409].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.ok(!(await client.get('/api/users')).json.users.some((user) => user.userId === 'second'));
  });
});

test('a restart prints no link once a user exists, and knows the user', async (t) => {
  const first = await Deck.startWithAdmin();
  const home = first.home;
  t.after(() => home.remove());
  await first.stop();
  const second = await Deck.start({ home });
  try {
    await second.client().signIn(ADMIN);
    assert.doesNotMatch(second.output, /\/setup#/);
  } finally {
    await second.stop();
  }
});

test('a second deck on the same state folder or port refuses to start', async (t) => {
  const deck = await Deck.startWithAdmin();
  t.after(() => deck.end());
  const same = await deck.run(['serve', '--workspace', deck.home.workspace, '--port', '0'], { patience: 10_000 });
  assert.equal(same.signal, null, 'it ended by itself');
  assert.equal(same.code, 1, same.stderr);
  assert.ok(await deck.answers(), 'the first one goes on');
});

test('SIGTERM ends it with exit code 0 and leaves no process', async (t) => {
  const deck = await Deck.startWithAdmin();
  t.after(() => deck.home.remove());
  const pids = deck.processes();
  assert.ok(pids.length >= 3, 'supervisor, front and keeper');
  const exit = await deck.stop();
  assert.equal(exit.code, 0, deck.output);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('SIGTERM to every process at once, twice, still closes the audit log', async (t) => {
  const deck = await Deck.startWithAdmin();
  t.after(() => deck.home.remove());
  const pids = deck.processes();
  for (let round = 0; round < 2; ++round) {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch (error) {
        assert.equal(error.code, 'ESRCH');
      }
    }
  }
  const exit = await deck.stop();
  assert.equal(exit.code, 0, deck.output);
  const folder = path.join(deck.home.data, 'audit');
  const day = fs.readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort().at(-1);
  const last = JSON.parse(fs.readFileSync(path.join(folder, day), 'utf8').trimEnd().split('\n').at(-1));
  assert.equal(last.action, 'stop');
});

test('front and keeper are confined, and say how', async (t) => {
  const deck = await Deck.startWithAdmin();
  t.after(() => deck.end());
  const [, ...children] = deck.processes();
  assert.equal(children.length, 2);
  for (const pid of children) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
  }
  assert.match((await deck.admin.get('/api/status')).json.confinement, /^(landlock \d+, )?seccomp$/);
});
