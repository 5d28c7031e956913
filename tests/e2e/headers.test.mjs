import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Deck } from './lib/deck.mjs';
import { raw, transcript } from './lib/client.mjs';
import { assertSecurityHeaders } from './lib/expect.mjs';

let deck;
before(async () => { deck = await Deck.startWithAdmin(); });
after(() => deck?.end());

test('every answer carries the security headers and a request id, errors included', async () => {
  const client = deck.client();
  await client.get('/');
  await client.get('/health');
  await client.get('/nowhere');
  await client.request('DELETE', '/health');
  await client.get('/api/auth/me');
  await client.get('/api/auth/me', { token: 'garbage' });
  await client.get('/health', { headers: { host: 'evil.example' } });
  await client.post('/api/auth/session', '{', {});
  await client.post('/api/auth/session', 'x=1', { type: 'application/x-www-form-urlencoded' });
  await client.post('/api/auth/session', { userId: 'a', password: 'x'.repeat(200_000) });
  await client.post('/v1/messages', {});
  await client.post('/v1/chat/completions', {});
  await client.post('/api/csp-report', { 'csp-report': { 'violated-directive': 'script-src' } }, { type: 'application/csp-report' });
  await client.get('/metrics');
  await deck.admin.get('/api/auth/me');
  await deck.admin.get('/api/security/audit-logs');
  await deck.admin.post('/api/auth/logout', undefined, { csrf: null });
  const ids = new Set();
  for (const answer of transcript) {
    assertSecurityHeaders(answer.headers, `${answer.what} (${answer.status})`);
    assert.equal(answer.headers['cache-control'], 'no-store', answer.what);
    assert.ok(answer.headers['x-request-id'], answer.what);
    ids.add(answer.headers['x-request-id']);
    assert.equal(answer.headers['strict-transport-security'], undefined, 'no HSTS without TLS');
  }
  assert.equal(ids.size, transcript.length, 'request ids are unique');
});

test('answers to malformed requests carry them too', async () => {
  for (const bytes of ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'garbage\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`]) {
    const { text } = await raw(deck.port, bytes);
    const headers = Object.fromEntries(text.split('\r\n\r\n')[0].split('\r\n').slice(1).map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }));
    assertSecurityHeaders(headers, bytes.slice(0, 20));
  }
});

test('the page has a nonce of its own in every answer, and uses it', async () => {
  const nonces = new Set();
  for (let n = 0; n < 20; n++) {
    const page = await deck.client().get('/');
    const csp = page.headers['content-security-policy'];
    const nonce = /script-src 'nonce-([A-Za-z0-9+/_=-]+)' 'strict-dynamic'/.exec(csp)?.[1];
    assert.ok(nonce && Buffer.from(nonce, 'base64').length >= 16, csp);
    assert.match(csp, new RegExp(`style-src 'self' 'nonce-${nonce.replace(/[+/=]/g, '\\$&')}'`));
    for (const directive of ["connect-src 'self'", "img-src 'self' data: blob:", "base-uri 'none'", "form-action 'self'",
      "frame-ancestors 'none'", "require-trusted-types-for 'script'", 'trusted-types']) {
      assert.ok(csp.includes(directive), directive);
    }
    for (const tag of page.text.match(/<(style|script)\b[^>]*>/g) ?? []) assert.ok(tag.includes(`nonce="${nonce}"`), tag);
    assert.doesNotMatch(page.text, /\sstyle="|\son[a-z]+="/, 'no inline style or handler');
    assert.equal(page.headers['content-encoding'], undefined);
    nonces.add(nonce);
  }
  assert.equal(nonces.size, 20);
});

test('CSP_MODE decides between enforcing and reporting', async (t) => {
  for (const [mode, enforce, report] of [['report-only', false, true], ['both', true, true], ['enforce', true, false]]) {
    const other = await Deck.start({ env: { CSP_MODE: mode } });
    t.after(() => other.end());
    const { headers } = await other.client().get('/');
    assert.equal('content-security-policy' in headers, enforce, mode);
    assert.equal('content-security-policy-report-only' in headers, report, mode);
    assert.match(headers['content-security-policy'] ?? headers['content-security-policy-report-only'], /report-uri \/api\/csp-report/);
  }
});

test('both report formats are taken, and reports do not become a flood', async () => {
  const client = deck.client();
  const old = { 'csp-report': { 'document-uri': `${deck.origin}/`, 'violated-directive': 'script-src', 'blocked-uri': 'inline', disposition: 'enforce' } };
  const modern = [{ type: 'csp-violation', age: 1, url: `${deck.origin}/`, user_agent: 'x',
    body: { documentURL: `${deck.origin}/`, effectiveDirective: 'script-src-elem', blockedURL: 'inline', disposition: 'enforce' } }];
  assert.ok([200, 204].includes((await client.post('/api/csp-report', old, { type: 'application/csp-report' })).status));
  assert.ok([200, 204].includes((await client.post('/api/csp-report', modern, { type: 'application/reports+json' })).status));
  assert.equal((await client.post('/api/csp-report', 'x', { type: 'text/plain' })).status, 415);
  const statuses = [];
  for (let n = 0; n < 100; n++) statuses.push((await client.post('/api/csp-report', old, { type: 'application/csp-report' })).status);
  assert.ok(statuses.includes(429), 'the report class has its limit');
});

test('a named TLS proxy brings HSTS', async (t) => {
  const other = await Deck.start({ args: ['--behind-tls-proxy', '127.0.0.0/8', '--public-origin', 'https://deck.example'] });
  t.after(() => other.end());
  const { headers } = await other.client().get('/health', { headers: { host: 'deck.example' } });
  assert.match(headers['strict-transport-security'] ?? '', /max-age=\d{7,}/);
});
