// Claims that many tests make about an answer.
import assert from 'node:assert/strict';

// An RFC 9457 problem of ours, complete, and nothing of the inside in it.
export function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, `${answer.what}: ${answer.text}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, answer.what);
  const problem = answer.json;
  assert.equal(problem.status, status);
  assert.equal(problem.code, code, `${answer.what}: ${answer.text}`);
  assert.equal(typeof problem.title, 'string');
  assert.ok(problem.detail?.length > 0, 'a problem says what to do');
  const id = problem.requestId ?? problem.instance;
  assert.ok(id, 'a problem carries the request id');
  assert.equal(answer.headers['x-request-id'], id);
  assertNoInsides(answer);
  return problem;
}

export function assertNoInsides(answer) {
  assert.doesNotMatch(answer.text, /boost|openssl|sqlite|sodium|SELECT |INSERT |\.cc\b|\.h:\d|std::|0x[0-9a-f]{6,}|\/work\/|\/home\/|\/tmp\//i,
    `${answer.what} tells of the inside: ${answer.text}`);
}

export const SECURITY_HEADERS = {
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^DENY$/,
  'referrer-policy': /^no-referrer$/,
  'permissions-policy': /camera=\(\)/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-embedder-policy': /^require-corp$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'x-xss-protection': /^0$/,
  'content-security-policy': /default-src 'none'/,
};

export function assertSecurityHeaders(headers, what) {
  for (const [name, pattern] of Object.entries(SECURITY_HEADERS)) {
    assert.match(headers[name] ?? '(none)', pattern, `${what}: ${name}`);
  }
  assert.doesNotMatch(headers['content-security-policy'], /unsafe-inline|unsafe-eval/, what);
  assert.equal(headers.server, undefined, `${what}: no Server version`);
  assert.equal(headers['x-powered-by'], undefined, what);
}
