// A small HTTP client that may say anything a browser or an attacker may say: any header, any body, any cookie. Keeps
// cookies, session token and CSRF token like the console would.
import http from 'node:http';
import net from 'node:net';

// Every answer that any client got in this process, for tests that search them all.
export const transcript = [];

export class Client {
  constructor(port) {
    this.port = port;
    this.cookies = new Map();
    this.token = null;
    this.csrf = null;
  }

  // A copy that shares nothing: a second tab, or a thief.
  fork() {
    const other = new Client(this.port);
    other.cookies = new Map(this.cookies);
    other.token = this.token;
    other.csrf = this.csrf;
    return other;
  }

  // body: an object becomes JSON; a string or Buffer goes as it is. token, csrf, cookies: null leaves them out.
  request(method, path, { body, headers = {}, token = this.token, csrf = this.csrf, cookies = this.cookies, type } = {}) {
    return new Promise((resolve, reject) => {
      const sent = { host: `127.0.0.1:${this.port}`, connection: 'close' };
      if (token) sent.authorization = `Bearer ${token}`;
      if (csrf && method !== 'GET' && method !== 'HEAD') sent['x-csrf-token'] = csrf;
      if (cookies?.size) sent.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      let bytes;
      if (body !== undefined) {
        bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
        if (type !== null) sent['content-type'] = type ?? 'application/json';
        sent['content-length'] = Buffer.byteLength(bytes);
      } else if (method !== 'GET' && method !== 'HEAD') {
        sent['content-length'] = 0;
      }
      for (const [name, value] of Object.entries(headers)) {
        if (value === null) delete sent[name.toLowerCase()];
        else sent[name.toLowerCase()] = value;
      }
      const request = http.request({ host: '127.0.0.1', port: this.port, method, path, headers: sent, agent: false, setHost: false });
      request.setTimeout(30_000, () => request.destroy(new Error(`no answer to ${method} ${path} in 30 s`)));
      request.on('error', reject);
      request.on('response', (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const answer = new Answer(response, Buffer.concat(parts), `${method} ${path}`);
          this.keepCookies(answer);
          transcript.push(answer);
          resolve(answer);
        });
      });
      request.end(bytes);
    });
  }

  get(path, options) { return this.request('GET', path, options); }
  post(path, body, options = {}) { return this.request('POST', path, { ...options, body }); }
  put(path, body, options = {}) { return this.request('PUT', path, { ...options, body }); }
  patch(path, body, options = {}) { return this.request('PATCH', path, { ...options, body }); }
  delete(path, options) { return this.request('DELETE', path, options); }

  keepCookies(answer) {
    for (const cookie of answer.cookies) {
      if (cookie.attributes['max-age'] === '0') this.cookies.delete(cookie.name);
      else this.cookies.set(cookie.name, cookie.value);
    }
  }

  keepGrant(answer) {
    this.token = answer.json.token;
    this.csrf = answer.json.csrfToken;
    return answer;
  }

  async signIn({ userId, password }) {
    const answer = await this.post('/api/auth/session', { userId, password }, { token: null, csrf: null, cookies: null });
    if (answer.status !== 200) throw new Error(`sign-in of ${userId}: ${answer.status} ${answer.text}`);
    return this.keepGrant(answer);
  }

  // The refresh of the console: cookies, and the CSRF token as the cookie has it.
  async refresh(options = {}) {
    const answer = await this.request('POST', '/api/auth/refresh', { token: null, csrf: this.cookies.get('__Host-nd_csrf'), ...options });
    if (answer.status === 200) this.keepGrant(answer);
    return answer;
  }
}

export class Answer {
  constructor(response, body, what) {
    this.what = what;
    this.status = response.statusCode;
    this.headers = response.headers;
    this.rawHeaders = response.rawHeaders;
    this.body = body;
  }
  get text() { return this.body.toString('utf8'); }
  get json() { return JSON.parse(this.text); }
  get cookies() {
    return (this.headers['set-cookie'] ?? []).map((line) => {
      const [pair, ...rest] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const attributes = Object.fromEntries(rest.map((part) => {
        const [name, value = true] = part.split('=');
        return [name.toLowerCase(), value];
      }));
      return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes, line };
    });
  }
}

// Sends bytes as they are and returns everything that comes back until the server closes or stays silent for `quiet` ms.
export function raw(port, bytes, { quiet = 1_500, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    let closed = false;
    socket.setTimeout(quiet, () => finish());
    socket.on('connect', () => {
      const parts = Array.isArray(bytes) ? bytes : [bytes];
      for (const part of parts) socket.write(part, 'latin1');
      if (end) socket.end();
    });
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('end', () => { closed = true; finish(); });
    socket.on('close', () => { closed = true; finish(); });
    socket.on('error', (error) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error)));
    let done = false;
    function finish() {
      if (done) return;
      done = true;
      socket.destroy();
      resolve({ text, closed, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])) });
    }
  });
}
