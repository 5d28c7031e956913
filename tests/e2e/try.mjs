// A guided tour of the main job on a throw-away state folder: account, key, model calls through SDKs, refusals, and the
// audit of it all. Every step prints its proof, and the tour stops at the first thing that is not so.
//
//   ./deck try                                   against the provider stand-in of the tests
//   ./deck try --provider NAME=URL --model NAME  against a real one that speaks OpenAI's protocol; its key comes from
//                                                the variable DECK_TRY_KEY, so that no process list shows it
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck, Home, readText } from './lib/deck.mjs';
import { Canaries, filesBelow } from './lib/search.mjs';
import { forgeries } from './lib/tokens.mjs';

const { values } = parseArgs({ options: { provider: { type: 'string' }, model: { type: 'string' } } });
const colour = process.stdout.isTTY ? (code, text) => `\x1b[${code}m${text}\x1b[0m` : (_, text) => text;
let number = 0;

const heading = (text) => console.log(`\n${colour('1;36', `${++number}. ${text}`)}`);
const proof = (text) => console.log(`   ${colour('32', 'proved:')} ${text}`);
const note = (text) => console.log(`   ${text}`);

const STANDIN_KEY = 'sk-try-5f3c9a7e1b2d4f6081a3c5e7-Zq9X';

async function chooseProvider() {
  if (!values.provider) {
    const standin = await startProvider({ key: STANDIN_KEY });
    note('The provider is the STAND-IN that ships with the tests (tests/support/provider.mjs): it speaks the real protocols,');
    note('but no model answers. For a real one: DECK_TRY_KEY=... ./deck try --provider NAME=URL --model MODEL');
    return { standin, name: 'openai', model: 'test-model', key: STANDIN_KEY,
      args: ['--provider', `openai=openai:${standin.url}`, '--provider', `anthropic=anthropic:${standin.origin}`] };
  }
  const key = process.env.DECK_TRY_KEY;
  const name = values.provider.split('=')[0];
  if (!key || !values.model || name === values.provider) {
    console.error('try: with --provider NAME=URL also give --model MODEL, and the key in the variable DECK_TRY_KEY');
    process.exit(2);
  }
  note(`The provider is ${values.provider}, model ${values.model}.`);
  return { standin: null, name, model: `${name}/${values.model}`, key, args: ['--provider', values.provider] };
}

const started = Date.now();
console.log(colour('1', 'NeuralDeck: a tour of the main job, on a state folder that is thrown away'));
const provider = await chooseProvider();
const home = new Home();
let deck;

try {
  heading('Start the deck');
  deck = await Deck.start({ home, args: provider.args });
  note(`neuraldeck serve --port ${deck.port} --data-dir ${home.data}`);
  assert.equal((await deck.client().get('/health')).json.status, 'ONLINE');
  const processes = deck.processes().map((pid) => readText(`/proc/${pid}/comm`).trim());
  proof(`GET /health says ONLINE; processes: ${processes.join(', ')}`);

  heading('Make the first account with the link it printed');
  const setupToken = await deck.setupToken();
  const admin = await deck.setUp();
  proof(`signed in as ${(await admin.get('/api/auth/me')).json.userId}, role ${(await admin.get('/api/auth/me')).json.role}`);
  const again = await admin.post('/api/setup', { setupToken, ...ADMIN, userId: 'second' });
  assert.ok([401, 409].includes(again.status));
  proof(`the link works once: ${again.status} ${again.json.code} for a second try`);

  heading('Store the provider key: it goes in and never comes out');
  assert.equal((await admin.post(`/api/config/keys/${provider.name}`, { apiKey: provider.key, label: 'team key' })).status, 200);
  if (provider.standin) await admin.post('/api/config/keys/anthropic', { apiKey: provider.key, label: 'team key' });
  const shown = await admin.get(`/api/config/keys/${provider.name}`);
  assert.ok(!shown.text.includes(provider.key));
  proof(`GET /api/config/keys/${provider.name} shows ${shown.json.masked} and nothing more`);
  const canary = new Canaries({ key: provider.key });
  const files = [...filesBelow(home.root)];
  assert.deepEqual(files.filter((file) => canary.in(fs.readFileSync(file)).length > 0), []);
  proof(`searched ${files.length} files of the deck for the key, also in base64 and hexadecimal: not found`);
  const tested = (await admin.post(`/api/config/keys/${provider.name}/test`)).json;
  assert.equal(tested.success, true, `the provider says: ${tested.result}`);
  proof('the provider accepts it (POST .../test)');

  heading('Give an agent a token of its own');
  const agent = await deck.agentToken('admin', [`model:${provider.name}/*`, 'model:anthropic/*'], '1h');
  proof(`neuraldeck token create printed ${agent.token.slice(0, 12)}... once; it ends in an hour and may call models only`);

  heading('Call a model with the official openai package: only base URL and key changed');
  const openai = new OpenAI({ baseURL: `${deck.origin}/v1`, apiKey: agent.token, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'Say hello in five words.' }];
  const whole = await openai.chat.completions.create({ model: provider.model, messages });
  proof(`answer: ${JSON.stringify(whole.choices[0].message.content)}`);
  const pieces = [];
  for await (const chunk of await openai.chat.completions.create({ model: provider.model, messages, stream: true })) {
    if (chunk.choices[0]?.delta?.content) pieces.push(chunk.choices[0].delta.content);
  }
  assert.ok(pieces.length > 0);
  proof(`streamed in ${pieces.length} pieces: ${JSON.stringify(pieces.join(''))}`);
  if (provider.standin) {
    assert.ok(provider.standin.seen.every((entry) => entry.keyAccepted));
    proof('the provider received the stored key each time, never the agent token');
    const anthropic = new Anthropic({ baseURL: deck.origin, apiKey: agent.token, maxRetries: 0 });
    const text = await anthropic.messages.stream({ model: 'test-model', max_tokens: 64, messages }).finalText();
    proof(`the @anthropic-ai/sdk package, streamed: ${JSON.stringify(text)}`);
    const leaky = await deck.client().post('/v1/chat/completions', { model: 'echo-key', messages }, { token: agent.token });
    assert.equal(leaky.status, 400);
    assert.deepEqual(canary.in(leaky.text), []);
    proof(`a provider that repeats the key in its error does not get it past the deck: ${JSON.stringify(leaky.json.error.message)}`);
  }

  heading('Refusals say what to do next');
  const chat = { model: provider.model, messages };
  const refusals = [
    ['no token', await deck.client().get('/api/auth/me'), 401],
    ['a forged token (alg none)', await deck.client().get('/api/auth/me', { token: forgeries(admin.token)['none algorithm, no tag'] }), 401],
    ['a mutation without CSRF token', await admin.post('/api/security/audit-logs/notes', { text: 'x' }, { csrf: null }), 403],
    ['a page of another origin', await admin.get('/api/users', { headers: { origin: 'https://evil.example' } }), 403],
    ['a foreign Host (DNS rebinding)', await admin.get('/api/users', { headers: { host: 'evil.example' } }), 421],
    ['an agent that wants the users', await deck.client().get('/api/users', { token: agent.token }), 403],
    ['a provider key in a chat request', await admin.post('/api/chat', { messages, config: { apiKey: 'sk-x' } }), 400],
    ['another media type', await admin.post('/api/users', 'userId=x', { type: 'application/x-www-form-urlencoded' }), 415],
  ];
  for (const [what, answer, status] of refusals) {
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    proof(`${what}: ${answer.status} ${answer.json.code}: ${answer.json.detail}`);
  }
  const revoked = await deck.run(['token', 'revoke', agent.id]);
  assert.equal(revoked.code, 0);
  const late = await deck.client().post('/v1/chat/completions', chat, { token: agent.token });
  assert.equal(late.status, 401);
  proof(`the agent token, once revoked: ${late.status} at its next call`);

  heading('A stolen refresh token ends the session it came from');
  const victim = deck.client();
  await victim.signIn(ADMIN);
  const thief = victim.fork();
  await victim.refresh();
  await victim.refresh();
  assert.equal((await thief.refresh()).json.code, 'session_ended');
  assert.equal((await victim.get('/api/auth/me')).json.code, 'session_ended');
  proof('replaying an old token: 401 session_ended, for the thief and for the session; REFRESH_REUSE is in the log');

  heading('The audit of it all');
  const { logs } = (await admin.get('/api/security/audit-logs?limit=1000')).json;
  const unsaid = new Canaries({ key: provider.key, 'agent token': agent.token, 'session token': admin.token, password: ADMIN.password,
    'a word that was said': messages[0].content });
  assert.deepEqual(unsaid.in(JSON.stringify(logs)), []);
  for (const record of logs.filter((entry) => entry.phase === 'outcome').slice(0, 24).reverse()) {
    const who = record.actor.for ? `${record.actor.kind} for ${record.actor.for}` : record.actor.id;
    note(`${String(record.seq).padStart(4)}  ${record.ts.slice(11, 23)}  ${record.event.padEnd(19)} ${who.slice(0, 16).padEnd(17)}`
      + `${record.action.padEnd(13)} ${record.outcome.padEnd(8)} ${record.target}`);
  }
  for (const event of ['SESSION_CREATE', 'API_KEY_OPERATION', 'MODEL_CALL', 'CSRF_REJECTED', 'REFRESH_REUSE']) {
    assert.ok(logs.some((record) => record.event === event), event);
  }
  proof(`${logs.length} records; none holds the key, a token, a password or a word that was said`);

  heading('Stop');
  const last = deck.processes();
  assert.equal((await deck.stop()).code, 0);
  for (const pid of last) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  proof('SIGTERM: exit code 0, no process left');
  console.log(`\n${colour('1', `All of it held, in ${((Date.now() - started) / 1000).toFixed(1)} s.`)} Start your own: ./deck up`);
} catch (error) {
  console.error(`\nThe tour stopped: ${error.message}`);
  if (deck) console.error(`--- what the server said:\n${deck.output}`);
  process.exitCode = 1;
} finally {
  if (deck && !deck.exit) await deck.kill();
  home.remove();
  await provider.standin?.stop();
}
