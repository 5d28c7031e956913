// A stand-in for a model provider, speaking the OpenAI and Anthropic protocols over plain HTTP/1.1 on loopback.
//
// As a module: const provider = await startProvider({ key }); ... await provider.stop()
// From a shell: node tests/support/provider.mjs --key KEY [--port PORT]; prints its address.
//
// It holds every request against the configured key and answers as the real services do. Some model names are faults:
//   echo-key          an error whose text repeats the key that was received
//   echo-key-stream   the key as content; streamed, its bytes come in small pieces of the same event
//   slow              a delta every 50 ms until the client goes; GET /_seen tells whether that was noticed
//   rate-limited      429 with Retry-After: 7
//   server-error      500 with an HTML page
//   redirect          302 to another path
//   cut               a stream whose connection breaks after two deltas
//   silent            no answer at all until the client goes
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const REPLY = ['Hello', ' from', ' the', ' stand-in', '.'];
const MODELS = ['test-model', 'echo-key', 'echo-key-stream', 'slow', 'rate-limited', 'server-error', 'redirect', 'cut', 'silent'];
const CREATED = 1_767_225_600;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function sendJson(res, status, value, headers = {}) {
  const body = JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  res.end(body);
}

const openaiError = (message, type, code, param = null) => ({ error: { message, type, param, code } });
const anthropicError = (message, type) => ({ type: 'error', error: { type, message }, request_id: 'req_011CStandIn' });

// The errors of one protocol, so that faults are written once.
const PROTOCOLS = {
  openai: {
    unauthenticated: (key) => openaiError(`Incorrect API key provided: ${key || "''"}. You can find your API key at the account page.`,
      'invalid_request_error', 'invalid_api_key'),
    invalid: (message) => openaiError(message, 'invalid_request_error', null),
    notFound: (model) => openaiError(`The model '${model}' does not exist or you do not have access to it.`,
      'invalid_request_error', 'model_not_found'),
    rateLimited: () => openaiError('Rate limit reached for requests', 'requests', 'rate_limit_exceeded'),
  },
  anthropic: {
    unauthenticated: () => anthropicError('invalid x-api-key', 'authentication_error'),
    invalid: (message) => anthropicError(message, 'invalid_request_error'),
    notFound: (model) => anthropicError(`model: ${model}`, 'not_found_error'),
    rateLimited: () => anthropicError('This request would exceed your rate limit', 'rate_limit_error'),
  },
};

function receivedKey(req) {
  const bearer = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '');
  return bearer ? bearer[1] : req.headers['x-api-key'] ?? '';
}

async function readBody(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
}

// The pieces of text that an answer consists of.
function piecesFor(model, key) {
  if (model !== 'echo-key-stream') return REPLY;
  return ['the key is ', key, ', they say'];
}

class EventStream {
  // With `cut`, each event goes out in pieces of so many bytes, apart on the wire.
  constructor(res, cut = Infinity) {
    this.res = res;
    this.cut = cut;
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  }
  async send(data, event) {
    const name = event ? `event: ${event}\n` : '';
    const text = `${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    for (let at = 0; at < text.length; at += this.cut) {
      this.res.write(text.slice(at, at + this.cut));
      if (this.cut < text.length) await pause(1);
    }
  }
}

const cutOf = (model) => (model === 'echo-key-stream' ? 7 : Infinity);

// Sends pieces by `emit`, obeying the fault models. False if the answer must not be completed.
async function sendPieces(res, seen, model, key, emit) {
  if (model === 'slow') {
    for (let n = 0; !res.destroyed && n < 1_200; n++) {
      await emit(`${n} `);
      seen.deltas++;
      await pause(50);
    }
    return !res.destroyed;
  }
  for (const [index, piece] of piecesFor(model, key).entries()) {
    if (model === 'cut' && index === 2) {
      res.destroy();
      return false;
    }
    await emit(piece);
    seen.deltas++;
    await pause(2);  // apart on the wire
  }
  return true;
}

async function openaiChat({ res, body, seen, key }) {
  if (!Array.isArray(body.messages) || body.messages.length === 0) {
    return sendJson(res, 400, PROTOCOLS.openai.invalid("Missing required parameter: 'messages'."));
  }
  const base = { id: 'chatcmpl-standin', created: CREATED, model: body.model, system_fingerprint: 'fp_standin' };
  const usage = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };
  if (!body.stream) {
    return sendJson(res, 200, {
      ...base, object: 'chat.completion', usage,
      choices: [{ index: 0, logprobs: null, finish_reason: 'stop',
        message: { role: 'assistant', content: piecesFor(body.model, key).join(''), refusal: null } }],
    }, { 'x-request-id': 'req_standin', 'openai-organization': 'org-standin', 'set-cookie': '__cf_bm=standin; path=/; HttpOnly' });
  }
  const stream = new EventStream(res, cutOf(body.model));
  const withUsage = body.stream_options?.include_usage === true;
  const chunk = (delta, finish_reason = null) => stream.send({
    ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...(withUsage ? { usage: null } : {}),
  });
  await chunk({ role: 'assistant', content: '', refusal: null });
  if (!(await sendPieces(res, seen, body.model, key, (content) => chunk({ content })))) return;
  await chunk({}, 'stop');
  if (withUsage) await stream.send({ ...base, object: 'chat.completion.chunk', choices: [], usage });
  await stream.send('[DONE]');
  res.end();
}

function openaiEmbeddings({ res, body }) {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  if (inputs.some((input) => typeof input !== 'string')) return sendJson(res, 400, PROTOCOLS.openai.invalid("'input' is invalid"));
  const vector = Float32Array.from([0.25, -0.5, 0.125, 1]);
  const embedding = body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
  sendJson(res, 200, {
    object: 'list', model: body.model, data: inputs.map((_, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: inputs.length, total_tokens: inputs.length },
  });
}

async function anthropicMessages({ req, res, body, seen, key }) {
  if (!req.headers['anthropic-version']) return sendJson(res, 400, PROTOCOLS.anthropic.invalid('anthropic-version: header is required'));
  if (!Number.isInteger(body.max_tokens)) return sendJson(res, 400, PROTOCOLS.anthropic.invalid('max_tokens: Field required'));
  const message = {
    id: 'msg_standin', type: 'message', role: 'assistant', model: body.model, content: [], stop_reason: null, stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 1 },
  };
  if (!body.stream) {
    return sendJson(res, 200, {
      ...message, content: [{ type: 'text', text: piecesFor(body.model, key).join('') }], stop_reason: 'end_turn',
      usage: { input_tokens: 9, output_tokens: 5 },
    }, { 'request-id': 'req_011CStandIn' });
  }
  const stream = new EventStream(res, cutOf(body.model));
  const send = (data) => stream.send(data, data.type);
  await send({ type: 'message_start', message });
  await send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
  await send({ type: 'ping' });
  const delta = (text) => send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
  if (!(await sendPieces(res, seen, body.model, key, delta))) return;
  await send({ type: 'content_block_stop', index: 0 });
  await send({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } });
  await send({ type: 'message_stop' });
  res.end();
}

function listModels({ res, protocol }) {
  if (protocol === 'openai') {
    return sendJson(res, 200, { object: 'list', data: MODELS.map((id) => ({ id, object: 'model', created: CREATED, owned_by: 'stand-in' })) });
  }
  sendJson(res, 200, {
    data: MODELS.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' })),
    has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1),
  });
}

const ROUTES = {
  'POST /v1/chat/completions': openaiChat,
  'POST /v1/embeddings': openaiEmbeddings,
  'POST /v1/messages': anthropicMessages,
  'GET /v1/models': listModels,
};

// Answers a fault model; false if the model is none.
async function answerFault({ res, protocol, model, key }) {
  const errors = PROTOCOLS[protocol];
  switch (model) {
    case 'echo-key':
      sendJson(res, 400, errors.invalid(`The key ${key} may not use this model. Received key: ${key}`), { 'x-received-key': key });
      return true;
    case 'rate-limited':
      sendJson(res, 429, errors.rateLimited(), { 'retry-after': '7' });
      return true;
    case 'server-error':
      res.writeHead(500, { 'content-type': 'text/html' });
      res.end('<html><body><h1>upstream broke</h1><script>alert(1)</script></body></html>');
      return true;
    case 'redirect':
      res.writeHead(302, { location: '/_elsewhere' });
      res.end();
      return true;
    case 'silent':
      while (!res.destroyed) await pause(50);
      return true;
    default:
      return false;
  }
}

// key: the one that is accepted, or a list of them. Returns { port, url, key, seen, stop }; `seen` holds one entry per request.
export async function startProvider({ key = 'sk-standin-0123456789abcdef', port = 0, host = '127.0.0.1' } = {}) {
  const seen = [];
  const keys = [key].flat();

  async function handle(req, res) {
    const path = new URL(req.url, 'http://provider').pathname;
    if (path === '/_seen') return sendJson(res, 200, { requests: seen });

    const protocol = req.headers['x-api-key'] && !req.headers.authorization ? 'anthropic' : 'openai';
    const raw = await readBody(req);
    const entry = {
      method: req.method, path, protocol, model: null, keyIndex: keys.indexOf(receivedKey(req)), body: raw.toString('utf8'),
      // Names and harmless values: the key itself is kept nowhere.
      headers: Object.fromEntries(Object.entries(req.headers).map(([name, value]) =>
        [name, name === 'authorization' || name === 'x-api-key' ? '(a key)' : value])),
      deltas: 0, finished: false, disconnected: false,
    };
    entry.keyAccepted = entry.keyIndex >= 0;
    seen.push(entry);
    res.on('close', () => {
      entry.finished = res.writableFinished;
      entry.disconnected = !res.writableFinished;
    });

    const route = ROUTES[`${req.method} ${path}`];
    const errors = PROTOCOLS[protocol];
    if (!route) return sendJson(res, 404, errors.invalid(`Unknown request URL: ${req.method} ${path}.`));
    if (!entry.keyAccepted) return sendJson(res, 401, errors.unauthenticated(receivedKey(req)));
    let body = {};
    if (req.method === 'POST') {
      try {
        body = JSON.parse(entry.body);
      } catch {
        return sendJson(res, 400, errors.invalid('We could not parse the JSON body of your request.'));
      }
      entry.model = body.model ?? null;
      if (await answerFault({ res, protocol, model: body.model, key: receivedKey(req) })) return;
      if (!MODELS.includes(body.model)) return sendJson(res, 404, errors.notFound(body.model));
    }
    await route({ req, res, body, protocol, seen: entry, key: receivedKey(req) });
  }

  const server = http.createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { port: bound } = server.address();
  return {
    port: bound, url: `http://${host}:${bound}/v1`, origin: `http://${host}:${bound}`, key, seen,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const option = (name) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? undefined : process.argv[at + 1];
  };
  const provider = await startProvider({ key: option('key'), port: Number(option('port') ?? 0) });
  console.log(`provider stand-in listening on ${provider.url} (port ${provider.port}), key ${provider.key}`);
}
