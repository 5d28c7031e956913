// The official SDKs, with nothing changed but base URL and key.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { startProvider } from '../support/provider.mjs';
import { Deck, until } from './lib/deck.mjs';

const OPENAI_KEY = 'sk-openai-canary-0a1b2c3d4e5f6g7h8i9j';
const ANTHROPIC_KEY = 'sk-ant-canary-9z8y7x6w5v4u3t2s1r0q';
const MESSAGES = [{ role: 'user', content: 'Say hello.' }];

let openaiProvider, anthropicProvider, extraProvider, deck, agent, openai, anthropic;

before(async () => {
  openaiProvider = await startProvider({ key: OPENAI_KEY });
  anthropicProvider = await startProvider({ key: ANTHROPIC_KEY });
  extraProvider = await startProvider({ key: OPENAI_KEY });
  deck = await Deck.startWithAdmin({
    args: ['--provider', `openai=openai:${openaiProvider.url}`, '--provider', `anthropic=anthropic:${anthropicProvider.origin}`,
      '--provider', `extra=${extraProvider.url}`, '--provider', 'dead=http://127.0.0.1:9/v1'],
  });
  await deck.admin.post('/api/config/keys/openai', { apiKey: OPENAI_KEY });
  await deck.admin.post('/api/config/keys/anthropic', { apiKey: ANTHROPIC_KEY });
  agent = await deck.agentToken('admin', ['model:*']);
  openai = new OpenAI({ apiKey: agent.token, baseURL: `${deck.origin}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: agent.token, baseURL: deck.origin, maxRetries: 0 });
});
after(async () => {
  await deck?.end();
  for (const provider of [openaiProvider, anthropicProvider, extraProvider]) await provider?.stop();
});

describe('the openai package', () => {
  test('completes a chat', async () => {
    const answer = await openai.chat.completions.create({ model: 'test-model', messages: MESSAGES });
    assert.equal(answer.choices[0].message.content, 'Hello from the stand-in.');
    assert.equal(answer.usage.total_tokens, 14);
    assert.equal(openaiProvider.seen.at(-1).keyAccepted, true, 'the deck put the stored key in');
  });
  test('streams a chat, with usage', async () => {
    const stream = await openai.chat.completions.create(
      { model: 'test-model', messages: MESSAGES, stream: true, stream_options: { include_usage: true } });
    let text = '';
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, 'Hello from the stand-in.');
    assert.equal(usage.total_tokens, 14);
  });
  test('lists models and makes embeddings', async () => {
    const ids = (await openai.models.list()).data.map((model) => model.id);
    assert.ok(ids.includes('test-model'), ids.join());
    const { data } = await openai.embeddings.create({ model: 'test-model', input: ['a', 'b'] });
    assert.deepEqual([...data[1].embedding], [0.25, -0.5, 0.125, 1]);
  });
  test('reaches a named provider by "NAME/model"', async () => {
    await deck.admin.post('/api/config/keys/extra', { apiKey: OPENAI_KEY });
    await openai.chat.completions.create({ model: 'extra/test-model', messages: MESSAGES });
    assert.equal(JSON.parse(extraProvider.seen.at(-1).body).model, 'test-model');
  });
  test('passes members on that the deck knows nothing of, byte for byte', async () => {
    const text = '{ "model":"test-model", "messages":[{"role":"user","content":"h\\u0069"}],"some_future_member":{"a":[1,2.50,"x"]},'
      + '"large":12345678901234567890 }';
    const answer = await deck.client().post('/v1/chat/completions', text, { token: agent.token });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(openaiProvider.seen.at(-1).body, text);
  });
});

describe('the @anthropic-ai/sdk package', () => {
  test('sends a message', async () => {
    const answer = await anthropic.messages.create({ model: 'test-model', max_tokens: 64, messages: MESSAGES });
    assert.equal(answer.content[0].text, 'Hello from the stand-in.');
    const seen = anthropicProvider.seen.at(-1);
    assert.equal(seen.keyAccepted, true);
    assert.ok(seen.headers['anthropic-version']);
  });
  test('streams a message', async () => {
    const stream = anthropic.messages.stream({ model: 'test-model', max_tokens: 64, messages: MESSAGES });
    assert.equal(await stream.finalText(), 'Hello from the stand-in.');
    assert.equal((await stream.finalMessage()).usage.output_tokens, 5);
  });
  test('lists models', async () => {
    const ids = [];
    for await (const model of anthropic.models.list()) ids.push(model.id);
    assert.ok(ids.some((id) => id.endsWith('test-model')), ids.join());
  });
});

describe('streaming', () => {
  test('flows: the first delta is there long before the last', async () => {
    const stream = await openai.chat.completions.create({ model: 'slow', messages: MESSAGES, stream: true });
    const start = Date.now();
    for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
    assert.ok(Date.now() - start < 2_000);
  });
  test('cancelling the client cancels the call upstream', async () => {
    for (const [client, provider, open] of [
      ['openai', openaiProvider, () => openai.chat.completions.create({ model: 'slow', messages: MESSAGES, stream: true })],
      ['anthropic', anthropicProvider, () => anthropic.messages.create({ model: 'slow', max_tokens: 9, messages: MESSAGES, stream: true })],
    ]) {
      const stream = await open();
      let deltas = 0;
      for await (const _ of stream) if (++deltas >= 5) break;
      const seen = provider.seen.at(-1);
      assert.equal(seen.model, 'slow');
      await until(`the provider of ${client} to see the end`, () => seen.disconnected, 3_000);
      assert.ok(seen.deltas < 40, `it had sent ${seen.deltas} deltas`);
    }
  });
  test('cancelling before the answer cancels too', async () => {
    const abort = new AbortController();
    const call = openai.chat.completions.create({ model: 'silent', messages: MESSAGES }, { signal: abort.signal });
    const seen = await until('the call upstream', () => openaiProvider.seen.find((entry) => entry.model === 'silent'));
    abort.abort();
    await assert.rejects(call);
    await until('the provider to see the end', () => seen.disconnected, 3_000);
  });
  test('a stream that breaks upstream is broken, not short, for the client', async () => {
    const stream = await openai.chat.completions.create({ model: 'cut', messages: MESSAGES, stream: true });
    await assert.rejects(async () => { for await (const _ of stream); });
  });
  test('logging out does not happen to agents, but a revoked token stops at its next call', async () => {
    const other = await deck.agentToken('admin', ['model:*']);
    const client = new OpenAI({ apiKey: other.token, baseURL: `${deck.origin}/v1`, maxRetries: 0 });
    await client.chat.completions.create({ model: 'test-model', messages: MESSAGES });
    await deck.run(['token', 'revoke', other.id]);
    await assert.rejects(client.chat.completions.create({ model: 'test-model', messages: MESSAGES }), { status: 401 });
  });
});

describe('errors upstream are told in our words', () => {
  const chat = (model, extra = {}) => deck.client().post('/v1/chat/completions', { model, messages: MESSAGES, ...extra }, { token: agent.token });
  const message = (model, extra = {}) => deck.client().post('/v1/messages', { model, max_tokens: 9, messages: MESSAGES, ...extra },
    { token: agent.token, headers: { 'anthropic-version': '2023-06-01' } });

  test('a key in an error text does not get past the deck', async () => {
    for (const [call, key] of [[chat, OPENAI_KEY], [message, ANTHROPIC_KEY]]) {
      for (const stream of [false, true]) {
        const answer = await call('echo-key', { stream });
        assert.equal(answer.status, 400, answer.text);
        assert.ok(!`${answer.text}${JSON.stringify(answer.headers)}`.includes(key.slice(3, 20)), answer.text);
      }
    }
  });
  test('a key in the content does not either, also when it comes in small pieces', async () => {
    for (const [call, key] of [[chat, OPENAI_KEY], [message, ANTHROPIC_KEY]]) {
      for (const stream of [false, true]) {
        const answer = await call('echo-key-stream', { stream });
        assert.equal(answer.status, 200, answer.text);
        assert.ok(!answer.text.includes(key), `${stream ? 'streamed' : 'whole'}: ${answer.text}`);
        if (!stream) continue;
        const text = [...answer.text.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json))
          .map((event) => event.choices?.[0]?.delta?.content ?? event.delta?.text ?? '').join('');
        assert.match(text, /^the key is .*, they say$/);
      }
    }
  });
  test('Retry-After is kept', async () => {
    for (const call of [chat, message]) {
      const answer = await call('rate-limited');
      assert.equal(answer.status, 429, answer.text);
      assert.equal(answer.headers['retry-after'], '7');
    }
    await assert.rejects(openai.chat.completions.create({ model: 'rate-limited', messages: MESSAGES }), OpenAI.RateLimitError);
    await assert.rejects(anthropic.messages.create({ model: 'rate-limited', max_tokens: 9, messages: MESSAGES }), Anthropic.RateLimitError);
  });
  test('an HTML page is no answer', async () => {
    const answer = await chat('server-error');
    assert.ok(answer.status >= 500, answer.text);
    assert.match(answer.headers['content-type'], /json/);
    assert.doesNotMatch(answer.text, /<|upstream broke/);
  });
  test('a redirect is not followed', async () => {
    const answer = await chat('redirect');
    assert.ok(answer.status >= 500, `${answer.status}`);
    assert.equal(answer.headers.location, undefined);
    assert.ok(!openaiProvider.seen.some((entry) => entry.path === '/_elsewhere'));
  });
  test('an unknown model is 404', async () => {
    assert.equal((await chat('no-such-model')).status, 404);
    assert.equal((await message('no-such-model')).status, 404);
  });
  test('an unreachable provider is 503, and says so', async () => {
    await deck.admin.post('/api/config/keys/dead', { apiKey: 'sk-dead-0123456789abcdef' });
    const answer = await chat('dead/x');
    assert.equal(answer.status, 503, answer.text);
  });
  test('the provider\'s cookies and other headers stay behind', async () => {
    const answer = await chat('test-model');
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.equal(answer.headers['openai-organization'], undefined);
    assert.notEqual(answer.headers['x-request-id'], 'req_standin');
  });
  test('our own headers and cookies do not go upstream', async () => {
    await deck.admin.post('/v1/chat/completions', { model: 'test-model', messages: MESSAGES }, { headers: { 'x-evil': '1' } });
    const { headers } = openaiProvider.seen.at(-1);
    for (const name of ['cookie', 'x-csrf-token', 'x-evil', 'origin', 'x-forwarded-for']) assert.equal(headers[name], undefined, name);
    assert.equal(headers.host, `127.0.0.1:${openaiProvider.port}`);
  });
});

test('without a stored key the answer has the protocol\'s shape and says what to do', async () => {
  await deck.admin.delete('/api/config/keys/extra');
  await assert.rejects(openai.chat.completions.create({ model: 'extra/test-model', messages: MESSAGES }),
    (error) => error instanceof OpenAI.APIError && error.status === 404 && /key/i.test(error.message));
});

test('/api/chat answers an OpenAI completion whichever protocol the provider speaks', async () => {
  for (const config of [{ model: 'test-model' }, { provider: 'openai', model: 'test-model', temperature: 0.5 },
    { provider: 'anthropic', model: 'test-model' }]) {
    const answer = await deck.admin.post('/api/chat', { messages: [{ role: 'system', content: 'Be brief.' }, ...MESSAGES], config });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.object, 'chat.completion');
    assert.equal(answer.json.choices[0].message.content, 'Hello from the stand-in.');
  }
});

test('the calls are in the audit log with model and tokens, and without a word of what was said', async () => {
  const { logs } = (await deck.admin.get('/api/security/audit-logs?limit=1000')).json;
  const calls = logs.filter((record) => record.event === 'MODEL_CALL');
  assert.ok(calls.some((record) => record.phase === 'outcome' && record.outcome === 'success' && record.data.model === 'test-model'
    && record.data.promptTokens === 9 && record.data.completionTokens === 5));
  assert.ok(calls.some((record) => record.actor.kind === 'agent' && record.actor.for === 'admin'));
  assert.ok(calls.some((record) => record.outcome === 'failure'));
  assert.doesNotMatch(JSON.stringify(logs), /Say hello|Hello from|canary/);
});
