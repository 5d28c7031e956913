import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Deck } from './lib/deck.mjs';
import { raw } from './lib/client.mjs';

let deck;
let host;
before(async () => {
  deck = await Deck.start();
  host = `Host: 127.0.0.1:${deck.port}\r\n`;
});
after(() => deck?.end());

const get = (extra = '', target = '/health') => `GET ${target} HTTP/1.1\r\n${host}${extra}\r\n`;
const post = (extra, body = '') => `POST /api/auth/session HTTP/1.1\r\n${host}Content-Type: application/json\r\n${extra}\r\n${body}`;

describe('malformed requests get 400 and the connection ends', () => {
  const cases = {
    'Content-Length with Transfer-Encoding': () => post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding with Content-Length': () => post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'two Content-Lengths': () => post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'),
    'two different Content-Lengths': () => post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'),
    'a list as Content-Length': () => post('Content-Length: 2, 2\r\n', '{}'),
    'a signed Content-Length': () => post('Content-Length: +2\r\n', '{}'),
    'a negative Content-Length': () => post('Content-Length: -1\r\n'),
    'a hexadecimal Content-Length': () => post('Content-Length: 0x2\r\n', '{}'),
    'a Content-Length beyond 64 bits': () => post('Content-Length: 99999999999999999999\r\n'),
    'a folded header': () => get('X-A: b\r\n c\r\n'),
    'a folded first header': () => `GET /health HTTP/1.1\r\n folded\r\n${host}\r\n`,
    'a space before the colon': () => get('X-A : b\r\n'),
    'a NUL in a header': () => get('X-A: b\0c\r\n'),
    'a bare CR in a header': () => get('X-A: b\rX-B: c\r\n'),
    'a control character in a header': () => get('X-A: b\x01c\r\n'),
    'a control character in the target': () => get('', '/hea\x01lth'),
    'a header without a colon': () => get('nonsense\r\n'),
    'an empty header name': () => get(': x\r\n'),
    'two Hosts': () => get(host),
    'two Authorizations': () => get('Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'),
    'two Origins': () => get('Origin: http://a\r\nOrigin: http://b\r\n'),
    'two Cookies headers of ours': () => get('Cookie: a=1\r\nCookie: b=2\r\n'),
    'two CSRF tokens': () => post('X-CSRF-Token: a\r\nX-CSRF-Token: b\r\nContent-Length: 2\r\n', '{}'),
    'no Host': () => 'GET /health HTTP/1.1\r\n\r\n',
    'a bad chunk size': () => post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'),
    'a signed chunk size': () => post('Transfer-Encoding: chunked\r\n', '+2\r\n{}\r\n0\r\n\r\n'),
    'a chunk size with 0x': () => post('Transfer-Encoding: chunked\r\n', '0x2\r\n{}\r\n0\r\n\r\n'),
    'a chunk size beyond 64 bits': () => post('Transfer-Encoding: chunked\r\n', 'FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n'),
    'a chunk longer than its size': () => post('Transfer-Encoding: chunked\r\n', '1\r\n{}\r\n0\r\n\r\n'),
    'a bare LF after a chunk': () => post('Transfer-Encoding: chunked\r\n', '2\n{}\n0\n\n'),
    'an absolute target': () => get('', 'http://evil.example/health'),
    'a target without a slash': () => get('', 'health'),
    'garbage': () => 'garbage\r\n\r\n',
    'no target': () => `GET HTTP/1.1\r\n${host}\r\n`,
    'two spaces in the request line': () => `GET  /health HTTP/1.1\r\n${host}\r\n`,
    'a lower-case protocol': () => `GET /health http/1.1\r\n${host}\r\n`,
    'a TLS client hello': () => '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03' + 'a'.repeat(60) + '\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      // A healthy request follows on the same connection: it must not be answered.
      const answer = await raw(deck.port, bytes() + get());
      assert.deepEqual(answer.statuses, [400], answer.text);
      assert.ok(answer.closed, 'the server closed the connection');
      assert.match(answer.text, /application\/problem\+json/);
      assert.match(answer.text, /"code":"invalid_request"/);
    });
  }
});

describe('other refusals of the protocol', () => {
  const cases = [
    ['an unknown transfer coding', () => post('Transfer-Encoding: gzip, chunked\r\n'), [400, 501]],
    ['chunked twice', () => post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), [400, 501]],
    ['chunked not last', () => post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), [400, 501]],
    ['HTTP/2.0', () => `GET /health HTTP/2.0\r\n${host}\r\n`, [400, 505]],
    ['the HTTP/2 preface', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
    ['CONNECT', () => `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`, [400, 404, 405, 501]],
    ['TRACE', () => `TRACE /health HTTP/1.1\r\n${host}\r\n`, [400, 405, 501]],
    ['a target over 4 KiB', () => get('', `/${'a'.repeat(4_100)}`), [414, 431]],
    ['a header over 16 KiB', () => get(`X-A: ${'b'.repeat(17_000)}\r\n`), [431]],
    ['65 fields', () => get(Array.from({ length: 64 }, (_, n) => `X-${n}: 1\r\n`).join('')), [431]],
    ['a body over the limit, by its header alone', () => post('Content-Length: 100000000\r\n'), [413]],
    ['a chunked body that grows over the limit', () => post('Transfer-Encoding: chunked\r\n', `8000\r\n${' '.repeat(0x8000)}\r\n`), [413]],
    ['an unknown expectation', () => post('Expect: magic\r\nContent-Length: 2\r\n', '{}'), [400, 417]],
  ];
  for (const [name, bytes, statuses] of cases) {
    test(`${name}: ${statuses.join(' or ')}`, async () => {
      const answer = await raw(deck.port, bytes());
      assert.ok(statuses.includes(answer.statuses[0]), `${answer.statuses} ${answer.text.slice(0, 300)}`);
    });
  }
});

describe('what is allowed works', () => {
  test('63 fields beside Host, and one answer', async () => {
    const answer = await raw(deck.port, get(Array.from({ length: 62 }, (_, n) => `X-${n}: 1\r\n`).join('') + 'Connection: close\r\n'));
    assert.deepEqual(answer.statuses, [200], answer.text);
  });
  test('pipelined requests are answered in order', async () => {
    const answer = await raw(deck.port, get() + get('', '/nowhere') + get() + get('Connection: close\r\n', '/api/auth/me'));
    assert.deepEqual(answer.statuses, [200, 404, 200, 401]);
    assert.ok(answer.closed);
  });
  test('a request that comes byte by byte', async () => {
    const bytes = get('Connection: close\r\n');
    const parts = [...bytes];
    assert.deepEqual((await raw(deck.port, parts)).statuses, [200]);
  });
  test('a chunked body with extensions and trailers', async () => {
    const body = JSON.stringify({ userId: 'nobody', password: 'not this one either' });
    const chunked = `${body.length.toString(16)};a=b\r\n${body}\r\n0\r\nX-Trailer: 1\r\n\r\n`;
    const answer = await raw(deck.port, post('Transfer-Encoding: chunked\r\nConnection: close\r\n', chunked), { quiet: 4_000 });
    assert.deepEqual(answer.statuses, [401], answer.text);
  });
  test('Expect: 100-continue', async () => {
    const body = JSON.stringify({ userId: 'nobody', password: 'not this one either' });
    const answer = await raw(deck.port, post(`Expect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`, body), { quiet: 4_000 });
    assert.equal(answer.statuses.at(-1), 401, answer.text);
  });
  test('HEAD has the header of GET and no body', async () => {
    const answer = await raw(deck.port, `HEAD /health HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    assert.ok([200, 405].includes(answer.statuses[0]), answer.text);
    assert.equal(answer.text.split('\r\n\r\n')[1], '', 'no body');
  });
  test('HTTP/1.0 is answered and closed', async () => {
    const answer = await raw(deck.port, `GET /health HTTP/1.0\r\n${host}\r\n`);
    assert.ok([200, 505].includes(answer.statuses[0]), answer.text);
    assert.ok(answer.closed);
  });
  test('a half-closed client still gets its answer', async () => {
    assert.deepEqual((await raw(deck.port, get(), { end: true })).statuses, [200]);
  });
});

test('paths are compared as they are: nothing is decoded or normalised on the way to a protected route', async () => {
  for (const target of ['/api/auth/me/', '//api/auth/me', '/api/./auth/me', '/x/../api/auth/me', '/api/auth/me;x', '/API/auth/me',
    '/api%2fauth%2fme', '/api/auth/%6de', '/api/auth/me%00', '/api\\auth\\me']) {
    const answer = await raw(deck.port, get('Connection: close\r\n', target));
    assert.ok([400, 404].includes(answer.statuses[0]), `${target}: ${answer.statuses}`);
  }
});

test('a header that never ends is cut off with 408 after its time', async () => {
  const answer = await raw(deck.port, `GET /health HTTP/1.1\r\n${host}`, { quiet: 12_000 });
  assert.ok(answer.closed, 'closed by the server');
  assert.ok(answer.statuses.length === 0 || answer.statuses[0] === 408, answer.text);
});

test('400 slow half-open connections do not keep a quick one waiting', async () => {
  const slow = Array.from({ length: 400 }, () => raw(deck.port, `GET /health HTTP/1.1\r\n${host}`, { quiet: 2_000 }));
  const start = Date.now();
  assert.equal((await deck.client().get('/health')).status, 200);
  assert.ok(Date.now() - start < 1_500);
  await Promise.all(slow);
});

test('it still serves after all of this', async () => {
  assert.equal((await deck.client().get('/health')).json.status, 'ONLINE');
});
