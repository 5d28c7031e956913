// kill -9 at each write-class system call while a key is stored and while the vault is rotated: what was acknowledged is
// there, what was not is whole or absent, and every record opens. strace counts the calls and sends the signal.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck, Home, processTree, readText, run, until } from './lib/deck.mjs';

const LONG = process.env.ND_LONG === '1';
const OLD = 'sk-old-0123456789abcdef-OLDO';
const NEW = 'sk-new-0123456789abcdef-NEWN';
const CALLS = ['write', 'pwrite64', 'writev', 'pwritev2', 'fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'ftruncate', 'fallocate',
  'unlink', 'unlinkat', 'mkdir', 'mkdirat', 'fchmod', 'link', 'linkat'];
const STRACE = '/usr/bin/strace';
const can = fs.existsSync(STRACE) && process.getuid() === 0
  && spawnSync(STRACE, ['-f', '-o', '/dev/null', '/bin/true']).status === 0;

let provider;
before(async () => { provider = await startProvider({ key: [OLD, NEW] }); });
after(() => provider?.stop());

const providerArgs = () => ['--provider', `openai=openai:${provider.url}`];

// A state folder with an administrator and the old key, copied afresh for each kill.
async function template() {
  const home = new Home();
  const data = ['--data-dir', home.data];
  assert.equal((await run(home, ['user', 'add', 'admin', '--role', 'admin', '--password-stdin', ...data], { input: ADMIN.password })).code, 0);
  assert.equal((await run(home, ['keys', 'set', 'openai', '--key-stdin', ...data], { input: OLD })).code, 0);
  return home;
}

function copyOf(home) {
  const copy = new Home();
  fs.cpSync(home.data, copy.data, { recursive: true, filter: (source) => !fs.lstatSync(source).isSocket() });
  fs.cpSync(home.config, copy.config, { recursive: true });
  for (const directory of [copy.data, copy.config]) fs.chmodSync(directory, 0o700);
  return copy;
}

// Which key is stored, told by the provider that receives it; also that the whole vault opens.
async function storedKey(home, what) {
  const data = ['--data-dir', home.data];
  const check = await run(home, ['vault', 'check', ...data]);
  assert.equal(check.code, 0, `${what}: vault check says ${check.stdout}${check.stderr}`);
  const before = provider.seen.length;
  const tested = await run(home, ['keys', 'test', 'openai', '--json', ...data, ...providerArgs()]);
  assert.equal(tested.code, 0, `${what}: keys test says ${tested.stdout}${tested.stderr}`);
  assert.ok(provider.seen.length > before, `${what}: the provider was asked`);
  return [OLD, NEW][provider.seen.at(-1).keyIndex];
}

async function sweep(base, args, input, judge) {
  let kills = 0;
  for (const call of CALLS) {
    for (let k = 1; k <= 200; k++) {
      const home = copyOf(base);
      const trace = path.join(home.root, 'trace');
      const result = await run(home, [...args, '--data-dir', home.data], {
        input, wrap: [STRACE, '-f', '-qq', '-o', trace, '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${k}`],
      });
      const killed = /killed by SIGKILL/.test(readText(trace));
      await judge(home, `${args.join(' ')}, killed at ${call} ${k}`, { acknowledged: result.code === 0, killed, result });
      home.remove();
      if (!killed) break;
      kills++;
    }
  }
  return kills;
}

describe('by command, without a server', { skip: !can && 'needs root, strace and ptrace' }, () => {
  let base;
  before(async () => { base = await template(); });
  after(() => base?.remove());

  test('while a key is stored', async (t) => {
    const kills = await sweep(base, ['keys', 'set', 'openai', '--key-stdin'], NEW, async (home, what, { acknowledged, killed, result }) => {
      const key = await storedKey(home, what);
      if (acknowledged) assert.equal(key, NEW, `${what}: acknowledged, so it is there`);
      if (!killed) assert.ok(acknowledged, `${what}: ${result.stderr}`);
    });
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 5, `${kills} kills`);
  });

  test('while the vault is rotated', async (t) => {
    const kills = await sweep(base, ['vault', 'rotate'], '', async (home, what, { killed, result }) => {
      assert.equal(await storedKey(home, what), OLD, what);
      if (!killed) assert.equal(result.code, 0, `${what}: ${result.stderr}`);
      // And it can be rotated again from where it stopped.
      assert.equal((await run(home, ['vault', 'rotate', '--data-dir', home.data])).code, 0, `${what}: rotating once more`);
      assert.equal(await storedKey(home, `${what}, then rotated`), OLD);
    });
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 5, `${kills} kills`);
  });
});

describe('in the keeper of a serving deck', { skip: !can && 'needs root, strace and ptrace' }, () => {
  let base;
  before(async () => { base = await template(); });
  after(() => base?.remove());

  const points = [['write', 1], ['fsync', 1], ['fsync', 2], ['rename', 1], ['renameat', 1], ['renameat2', 1], ['fdatasync', 1]];
  const more = LONG ? CALLS.flatMap((call) => [1, 2, 3, 4].map((k) => [call, k])) : points;

  for (const what of ['store', 'rotate']) {
    test(`while it is asked to ${what}`, async (t) => {
      let kills = 0;
      for (const [call, k] of more) {
        const home = copyOf(base);
        const deck = await Deck.start({ home, args: providerArgs() });
        try {
          const client = deck.client();
          await client.signIn(ADMIN);
          const keeper = processTree(deck.pid).find((pid) => /keeper/.test(readText(`/proc/${pid}/comm`)));
          assert.ok(keeper, 'there is a keeper');
          const trace = path.join(home.root, 'trace');
          const strace = spawn(STRACE, ['-f', '-o', trace, '-p', String(keeper), '-e', `trace=${call}`,
            '-e', `inject=${call}:signal=KILL:when=${k}`], { stdio: ['ignore', 'ignore', 'pipe'] });
          let said = '';
          strace.stderr.on('data', (data) => (said += data));
          const done = new Promise((resolve) => strace.on('close', resolve));
          await until('strace to attach', () => /attached/.test(said), 5_000);

          const answer = what === 'store'
            ? await client.put('/api/config/keys/openai', { apiKey: NEW }).catch(() => ({ status: 0 }))
            : { status: (await deck.run(['vault', 'rotate'])).code === 0 ? 200 : 0 };
          const killed = /killed by SIGKILL/.test(readText(trace)) || !fs.existsSync(`/proc/${keeper}`);
          strace.kill('SIGINT');
          await done;
          if (killed) kills++;

          // The supervisor brings the deck back, or it ends in order; either way the state is whole.
          await until('the deck to answer again, or to end', async () => deck.exit || (await deck.answers()), 30_000);
          await deck.stop().catch(() => deck.kill());
          const key = await storedKey(home, `${what}, keeper killed at ${call} ${k}`);
          if (what === 'rotate') assert.equal(key, OLD);
          else if (answer.status === 200) assert.equal(key, NEW, 'acknowledged, so it is there');
        } finally {
          await deck.kill();
          home.remove();
        }
      }
      t.diagnostic(`${kills} kills of ${more.length} tries`);
      assert.ok(kills >= 2, `${kills} kills`);
    });
  }
});

test('users and sessions acknowledged before a kill -9 are there after it', async (t) => {
  const rounds = LONG ? 20 : 3;
  const deck = await Deck.startWithAdmin();
  const { home } = deck;
  t.after(() => home.remove());
  let current = deck;
  let admin = deck.admin;
  const names = [];
  for (let round = 0; round < rounds; round++) {
    const writes = (async () => {
      for (let n = 0; ; n++) {
        const userId = `user-${round}-${n}`;
        const answer = await admin.post('/api/users', { userId, role: 'viewer', password: 'a password for many' }).catch(() => null);
        if (!answer || answer.status >= 400) return;
        names.push(userId);
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300 + round * 37));
    await current.kill();
    await writes;
    current = await Deck.start({ home });
    admin = current.client();
    await admin.signIn(ADMIN);
    const { users } = (await admin.get('/api/users')).json;
    const there = new Set(users.map((user) => user.userId));
    assert.deepEqual(names.filter((name) => !there.has(name)), [], `after kill ${round + 1}`);
    const { logs } = (await admin.get('/api/security/audit-logs?limit=1000')).json;
    const told = new Set(logs.filter((record) => record.event === 'USER_CHANGE' && record.phase === 'intent').map((record) => record.target));
    assert.deepEqual(names.filter((name) => !told.has(name)), [], 'each has its intent in the log');
  }
  assert.ok(names.length > 0);
  await current.stop();
});
