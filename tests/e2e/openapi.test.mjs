// docs/openapi.yaml against the running server: the same paths and methods, and answers as it describes them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { startProvider } from '../support/provider.mjs';
import { ADMIN, Deck, ROOT } from './lib/deck.mjs';
import { transcript } from './lib/client.mjs';

const KEY = 'sk-openapi-0123456789abcdef';
const document = parse(fs.readFileSync(path.join(ROOT, 'docs/openapi.yaml'), 'utf8'));
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
let deck, provider;

before(async () => {
  provider = await startProvider({ key: KEY });
  deck = await Deck.startWithAdmin({ args: ['--provider', `openai=openai:${provider.url}`, '--provider', `anthropic=anthropic:${provider.origin}`] });
});
after(async () => {
  await deck?.end();
  await provider?.stop();
});

test('it is an OpenAPI 3.1 document whose references all lead somewhere', () => {
  assert.match(document.openapi, /^3\.1\./);
  const walk = (value) => {
    if (value === null || typeof value !== 'object') return;
    if (typeof value.$ref === 'string') {
      const goal = value.$ref.replace(/^#\//, '').split('/').reduce((at, part) => at?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], document);
      assert.ok(goal, value.$ref);
    }
    Object.values(value).forEach(walk);
  };
  walk(document);
});

test('it lists the routes of the table, and no others', () => {
  const source = fs.readFileSync(path.join(ROOT, 'src/server/routes.cc'), 'utf8');
  const table = [...source.matchAll(/\{k(Get|Post|Put|Patch|Delete), "([^"]+)"/g)]
    .map(([, method, pattern]) => `${method.toUpperCase()} ${pattern.replace(/:(\w+)/g, '{$1}')}`).sort();
  const listed = Object.entries(document.paths).flatMap(([pattern, item]) =>
    METHODS.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${pattern}`)).sort();
  assert.ok(table.length > 20);
  assert.deepEqual(listed, table);
});

test('answers are as described, successes and refusals', async () => {
  const { admin } = deck;
  const messages = [{ role: 'user', content: 'x' }];
  const anonymous = deck.client();
  await anonymous.get('/health');
  await anonymous.get('/');
  await anonymous.get('/metrics');
  await anonymous.get('/api/auth/me');
  await anonymous.post('/api/auth/session', { userId: 'admin', password: 'not the right one' });
  await anonymous.post('/api/auth/session', '{');
  await anonymous.signIn(ADMIN);
  await anonymous.refresh();
  for (const target of ['/api/status', '/api/auth/me', '/api/auth/csrf-token', '/api/auth/sessions', '/api/users', '/api/users/admin', '/api/users/nobody',
    '/api/agents/tokens', '/api/config/keys', '/api/config/keys/openai']) await admin.get(target);
  await admin.post('/api/users', { userId: 'x', role: 'viewer', password: 'a long enough password' });
  await admin.post('/api/users', { userId: 'x', role: 'viewer', password: 'a long enough password' });
  await admin.patch('/api/users/x', { role: 'auditor' });
  const made = await admin.post('/api/agents/tokens', { name: 'x', scopes: ['model:*'], expires: '1h' });
  await admin.get('/api/agents/tokens');
  await admin.delete(`/api/agents/tokens/${made.json.id}`);
  await admin.post('/api/config/keys/openai', { apiKey: KEY });
  await admin.put('/api/config/keys/anthropic', { apiKey: KEY });
  await admin.get('/api/config/keys');
  await admin.get('/api/config/keys/openai');
  await admin.post('/api/config/keys/openai/test');
  await admin.post('/api/chat', { messages, config: { model: 'test-model' } });
  await admin.post('/v1/chat/completions', { model: 'test-model', messages });
  await admin.post('/v1/chat/completions', { model: 1 });
  await admin.post('/v1/embeddings', { model: 'test-model', input: 'x' });
  await admin.post('/v1/messages', { model: 'test-model', max_tokens: 5, messages }, { headers: { 'anthropic-version': '2023-06-01' } });
  await admin.post('/v1/messages', { model: 1 }, { headers: { 'anthropic-version': '2023-06-01' } });
  await admin.get('/v1/models');
  await admin.post('/api/security/audit-logs/notes', { text: 'x' });
  await admin.get('/api/security/audit-logs?limit=50');
  await admin.delete('/api/config/keys/openai');
  await anonymous.post('/api/auth/logout');

  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const pointer = (...parts) => `openapi#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const patterns = Object.keys(document.paths).map((pattern) => [pattern, new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`)]);
  const offences = [];
  let checked = 0;
  for (const answer of transcript) {
    const [method, target] = answer.what.split(' ');
    const bare = target.split('?')[0];
    const pattern = (patterns.find(([text]) => text === bare) ?? patterns.find(([, expression]) => expression.test(bare)))?.[0];
    const operation = document.paths[pattern]?.[method.toLowerCase()];
    if (!operation) continue;
    const parts = ['paths', pattern, method.toLowerCase(), 'responses', [String(answer.status), 'default'].find((name) => operation.responses[name])];
    if (!parts.at(-1)) {
      offences.push(`${answer.what}: ${answer.status} is not described`);
      continue;
    }
    let response = operation.responses[parts.at(-1)];
    if (response.$ref) {
      parts.splice(0, parts.length, ...response.$ref.replace(/^#\//, '').split('/'));
      response = parts.reduce((at, part) => at[part], document);
    }
    const type = (answer.headers['content-type'] ?? '').split(';')[0];
    if (!response.content) continue;
    if (!response.content[type]) {
      offences.push(`${answer.what}: ${answer.status} as ${type} is not described`);
      continue;
    }
    if (!/json/.test(type) || !response.content[type].schema) continue;
    const validate = ajv.getSchema(pointer(...parts, 'content', type, 'schema'));
    checked++;
    if (!validate(answer.json)) offences.push(`${answer.what} ${answer.status}: ${ajv.errorsText(validate.errors)}: ${answer.text.slice(0, 300)}`);
  }
  assert.deepEqual(offences, []);
  assert.ok(checked > 25, `${checked} answers were checked`);
});
