import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ADMIN, Deck, Home, run } from './lib/deck.mjs';

const PASSWORD = 'a password for the command line';

describe('without a running server', () => {
  test('init, user add, token create and keys set prepare a deck that then just works', async (t) => {
    const home = new Home();
    t.after(() => home.remove());
    const data = ['--data-dir', home.data];
    const added = await run(home, ['user', 'add', 'Alice', '--role', 'admin', '--password-stdin', '--json', ...data], { input: `${PASSWORD}\n` });
    assert.equal(added.code, 0, added.stderr);
    assert.equal(JSON.parse(added.stdout).userId, 'alice');
    assert.equal(fs.statSync(home.data).mode & 0o777, 0o700);

    const created = await run(home, ['token', 'create', '--user', 'alice', '--name', 'ci', '--scope', 'model:*', '--scope', 'mcp',
      '--expires', '90d', '--json', ...data]);
    assert.equal(created.code, 0, created.stderr);
    const { token, id } = JSON.parse(created.stdout);
    assert.match(token, new RegExp(`^nda_${id}_[A-Za-z0-9_-]+$`));

    const key = await run(home, ['keys', 'set', 'openai', '--key-stdin', ...data], { input: 'sk-cli-0123456789abcdef\n' });
    assert.equal(key.code, 0, key.stderr);

    const deck = await Deck.start({ home });
    try {
      assert.doesNotMatch(deck.output, /\/setup#/, 'no setup link once a user exists');
      const client = deck.client();
      await client.signIn({ userId: 'alice', password: PASSWORD });
      assert.equal((await client.get('/api/config/keys/openai')).json.masked, '…cdef');
      const { tokens } = (await client.get('/api/agents/tokens')).json;
      assert.deepEqual(tokens.map((row) => [row.id, row.name, row.scopes]), [[id, 'ci', ['model:*', 'mcp']]]);
      assert.ok(!JSON.stringify(tokens).includes(token), 'a token is shown once');
      const { logs } = (await client.get('/api/security/audit-logs?limit=1000')).json;
      for (const event of ['USER_CHANGE', 'API_KEY_OPERATION']) {
        assert.ok(logs.some((record) => record.event === event && record.phase === 'outcome'), `${event} by command is in the log`);
      }
    } finally {
      await deck.stop();
    }
  });
});

describe('with a running server', () => {
  test('the same commands ask it, and it knows at once', async (t) => {
    const deck = await Deck.startWithAdmin();
    t.after(() => deck.end());
    assert.equal((await deck.run(['user', 'add', 'bob', '--role', 'viewer', '--password-stdin'], { input: PASSWORD })).code, 0);
    const bob = deck.client();
    await bob.signIn({ userId: 'bob', password: PASSWORD });
    assert.equal((await bob.get('/api/auth/me')).json.role, 'viewer');

    assert.equal((await deck.run(['user', 'role', 'bob', 'auditor'])).code, 0);
    assert.equal((await bob.get('/api/auth/me')).status, 401, 'a role change ends what was open');
    assert.equal((await bob.signIn({ userId: 'bob', password: PASSWORD })).json.role, 'auditor');

    const { token, id } = await deck.agentToken('admin', ['model:*']);
    assert.notEqual((await deck.client().get('/v1/models', { token })).status, 401);
    assert.equal((await deck.run(['token', 'revoke', id])).code, 0);
    assert.equal((await deck.client().get('/v1/models', { token })).status, 401);

    const users = JSON.parse((await deck.run(['user', 'list', '--json'])).stdout).users;
    assert.deepEqual(users.map((user) => user.userId).sort(), ['admin', 'bob']);

    assert.equal((await deck.run(['user', 'sign-out', 'bob'])).code, 0);
    assert.equal((await bob.get('/api/auth/me')).status, 401);

    const rotated = await deck.run(['vault', 'rotate-jwt']);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal((await deck.admin.get('/api/auth/me')).status, 200, 'old tokens verify until they expire');
    await deck.client().signIn(ADMIN);
  });
});

describe('exit codes', () => {
  const home = new Home();
  const data = ['--data-dir', home.data];
  const cases = [
    ['--help', ['--help'], 0],
    ['--version', ['--version'], 0],
    ['nothing', [], 2],
    ['an unknown command', ['dance'], 2],
    ['an unknown flag', ['serve', '--dance'], 2],
    ['a bad port', ['serve', '--port', '70000', ...data], 2],
    ['a bad host', ['serve', '--host', 'nowhere.example', ...data], 2],
    ['a provider without URL', ['serve', '--provider', 'x', ...data], 2],
    ['a bad CSP mode', ['serve', '--csp-mode', 'off', ...data], 2],
    ['a bad expiry', ['serve', '--session-expiry', '604801', ...data], 2],
    ['a bad role', ['user', 'add', 'x', '--role', 'root', '--password-stdin', ...data], 2],
    ['no password flag', ['user', 'add', 'x', '--role', 'admin', ...data], 2],
    ['a scope-less token', ['token', 'create', '--user', 'x', '--name', 'n', '--expires', '1h', ...data], 2],
    ['a bad duration', ['token', 'create', '--user', 'x', '--name', 'n', '--scope', 'mcp', '--expires', '1y', ...data], 2],
    ['an unknown user', ['token', 'create', '--user', 'nobody', '--name', 'n', '--scope', 'mcp', '--expires', '1h', ...data], 1],
    ['listening to the world in plain text', ['serve', '--host', '0.0.0.0', '--port', '0', ...data], 3],
    ['the state folder as place of the root key', ['serve', '--root-key-dir', path.join(home.data, 'keys'), '--port', '0', ...data], 3],
  ];
  for (const [what, args, code] of cases) {
    test(`${what}: ${code}`, async () => {
      const result = await run(home, args, { patience: 10_000 });
      assert.equal(result.code, code, `${result.stdout}${result.stderr}`);
      if (code !== 0) assert.ok(result.stderr.length > 10, 'a refusal says what to do');
    });
  }
  test('a short or well-known JWT_SECRET: 3', async () => {
    for (const secret of ['short', 'changeme-changeme-changeme-changeme', 'secret'.repeat(6), 'a'.repeat(40)]) {
      const result = await run(home, ['serve', '--port', '0', ...data], { env: { JWT_SECRET: secret }, patience: 10_000 });
      assert.equal(result.code, 3, `${secret}: ${result.stderr}`);
      assert.ok(!result.stderr.includes(secret));
    }
  });
  test('a state folder that others may write: refused', async () => {
    const other = new Home();
    fs.mkdirSync(other.data);
    fs.chmodSync(other.data, 0o777);
    const result = await run(other, ['serve', '--port', '0', '--data-dir', other.data], { patience: 10_000 });
    assert.ok([1, 3].includes(result.code), `${result.code} ${result.stderr}`);
    other.remove();
  });
  test('a weak password: 1', async () => {
    const result = await run(home, ['user', 'add', 'weak', '--role', 'viewer', '--password-stdin', ...data], { input: 'short' });
    assert.equal(result.code, 1, result.stderr);
  });
  test('a user who exists: 1', async () => {
    const add = () => run(home, ['user', 'add', 'twice', '--role', 'viewer', '--password-stdin', ...data], { input: PASSWORD });
    assert.equal((await add()).code, 0);
    assert.equal((await add()).code, 1);
    home.remove();
  });
});

describe('settings', () => {
  test('flag over environment over file, and config show says where each came from', async (t) => {
    const home = new Home();
    t.after(() => home.remove());
    fs.mkdirSync(home.data, { mode: 0o700 });
    const file = path.join(home.root, 'deck.toml');
    fs.writeFileSync(file, 'port = 4001\ncsp-mode = "both"\nsession-expiry = 900\n', { mode: 0o600 });
    const show = async (args, env) => {
      const result = await run(home, ['config', 'show', '--json', '--config', file, '--data-dir', home.data, ...args], { env });
      assert.equal(result.code, 0, result.stderr);
      return result.stdout;
    };
    assert.match(await show([], {}), /4001/);
    assert.match(await show([], { PORT: '4002' }), /4002/);
    assert.match(await show([], { PORT: '4002', NEURALDECK_PORT: '4003' }), /4003/);
    assert.match(await show(['--port', '4004'], { PORT: '4002' }), /4004/);
    const text = await show([], { JWT_SECRET: 'canary-canary-canary-canary-canary-9' });
    assert.doesNotMatch(text, /canary/, 'secrets are not shown');
  });

  test('a deck on 0.0.0.0 behind a named proxy starts; doctor has an opinion', async (t) => {
    const home = new Home();
    t.after(() => home.remove());
    await run(home, ['user', 'add', 'alice', '--role', 'admin', '--password-stdin', '--data-dir', home.data], { input: PASSWORD });
    const result = await run(home, ['doctor', '--json', '--data-dir', home.data]);
    assert.ok([0, 1].includes(result.code), result.stderr);
    assert.ok(Array.isArray(JSON.parse(result.stdout).checks), result.stdout);
  });
});

test('a hang-up that the starter told us to ignore does not stop the deck', async (t) => {
  const deck = await Deck.start({ wrap: ['nohup'] });
  t.after(() => deck.end());
  process.kill(deck.pid, 'SIGHUP');
  process.kill(deck.pid, 'SIGHUP');
  assert.equal((await deck.client().get('/health')).status, 200);
  assert.equal(deck.exit, null);
});

test('providers that cannot be understood are a usage error, unsafe ones are refused, before anything starts', async () => {
  const home = new Home();
  try {
    const serve = (...providers) => run(home, ['serve', '--workspace', home.workspace, '--data-dir', home.data, '--port', '0',
      ...providers.flatMap((text) => ['--provider', text])]);
    for (const wrong of [['nonsense'], ['x=ftp://127.0.0.1/'], ['a=http://127.0.0.1:9/v1', 'a=http://127.0.0.1:8/v1']]) {
      const { code, stderr } = await serve(...wrong);
      assert.equal(code, 2, `${wrong}: ${stderr}`);
      assert.match(stderr, /provider/);
    }
    assert.equal((await serve('x=http://provider.example/v1')).code, 3);
  } finally {
    home.remove();
  }
});

test('a vault that cannot be written ends the start with a reason instead of a silent server', async () => {
  const home = new Home();
  try {
    const started = Date.now();
    const { code, stderr } = await run(home, ['serve', '--workspace', home.workspace, '--data-dir', home.data, '--port', '0'],
      { wrap: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=rename:error=ENOSPC:when=1+'], patience: 60_000 });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /disk|write/i);
    assert.ok(Date.now() - started < 55_000);
  } finally {
    home.remove();
  }
});
