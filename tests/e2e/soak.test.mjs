// Many sessions and calls at once for a while: nothing is refused that should not be, memory and descriptors stay level.
// A few seconds in the everyday run, minutes with ND_LONG=1. Loads only the loopback server that it starts itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck, readText } from './lib/deck.mjs';

const SECONDS = process.env.ND_LONG === '1' ? 120 : 4;
const KEY = 'sk-soak-0123456789abcdef';
let deck, provider;
before(async () => {
  provider = await startProvider({ key: KEY });
  deck = await Deck.startWithAdmin({ args: ['--provider', `openai=openai:${provider.url}`] });
  await deck.admin.post('/api/config/keys/openai', { apiKey: KEY });
});
after(async () => {
  await deck?.end();
  await provider?.stop();
});

const measure = () => deck.processes().map((pid) => ({
  pid,
  kib: Number(/VmRSS:\s+(\d+)/.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0),
  fds: fs.readdirSync(`/proc/${pid}/fd`).length,
}));

test(`${SECONDS} seconds of refreshes, streams and cancelled streams`, async (t) => {
  const counts = { refresh: 0, call: 0, stream: 0, cancelled: 0 };
  const { token } = await deck.agentToken('admin', ['model:*']);
  const messages = [{ role: 'user', content: 'x' }];
  let stop = Date.now() + 1_500;

  const refresher = async () => {
    const client = deck.client();
    await client.signIn(ADMIN);
    while (Date.now() < stop) {
      const answer = await client.refresh();
      assert.equal(answer.status, 200, answer.text);
      counts.refresh++;
    }
    await client.post('/api/auth/logout');
  };
  const caller = async (stream) => {
    const client = deck.client();
    while (Date.now() < stop) {
      const answer = await client.post('/v1/chat/completions', { model: 'test-model', messages, stream }, { token });
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, stream ? /\[DONE\]/ : /Hello from the stand-in/);
      counts[stream ? 'stream' : 'call']++;
    }
  };
  const canceller = async () => {
    while (Date.now() < stop) {
      const response = await fetch(`${deck.origin}/v1/chat/completions`, {
        method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ model: 'slow', messages, stream: true }),
      });
      assert.equal(response.status, 200);
      const reader = response.body.getReader();
      await reader.read();
      await reader.cancel();
      counts.cancelled++;
    }
  };
  const everything = () => Promise.all([refresher(), refresher(), caller(false), caller(true), caller(true), canceller(), canceller()]);

  await everything();  // warm up: buffers and pools reach their size
  const before = measure();
  stop = Date.now() + SECONDS * 1_000;
  await everything();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = measure();
  t.diagnostic(JSON.stringify({ counts, before, after }));

  assert.deepEqual(after.map(({ pid }) => pid), before.map(({ pid }) => pid), 'no process was replaced');
  for (const [index, { kib, fds }] of after.entries()) {
    assert.ok(kib < before[index].kib + 32_768, `memory grew from ${before[index].kib} to ${kib} KiB`);
    assert.ok(fds <= before[index].fds + 16, `descriptors grew from ${before[index].fds} to ${fds}`);
  }
  assert.ok(Object.values(counts).every((count) => count > 0));
  assert.equal(provider.seen.filter((entry) => !entry.finished && !entry.disconnected).length, 0, 'no call upstream was forgotten');
  assert.equal((await deck.client().get('/health')).json.status, 'ONLINE');
});
