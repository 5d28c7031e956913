// Starts the program on a throw-away state folder and stops it again. Everything a test learns about the program it learns
// from outside: its output, its sockets, its files, /proc.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './client.mjs';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const BINARY = path.resolve(process.env.ND_BINARY ?? path.join(ROOT, 'build/release/neuraldeck'));

export const ADMIN = { userId: 'admin', password: 'correct horse battery staple' };

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Calls `probe` until it returns something truthy; fails with `what` after `patience` ms.
export async function until(what, probe, patience = 15_000) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain for ${what}`);
    await pause(20);
  }
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A folder with what one deck needs: workspace, state folder, and a place for the root key outside both.
export class Home {
  constructor() {
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), 'nd-e2e-'));
    this.workspace = path.join(this.root, 'workspace');
    this.data = path.join(this.root, 'data');
    this.config = path.join(this.root, 'config');
    for (const directory of [this.workspace, this.config]) fs.mkdirSync(directory, { mode: 0o700 });
  }
  // Only what is named: nothing of the tester's own environment decides how the program behaves.
  env(extra = {}) {
    return { PATH: '/usr/bin:/bin', HOME: this.root, XDG_CONFIG_HOME: this.config, ...extra };
  }
  remove() {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

// Runs the program to its end. `wrap` stands before it (strace, say).
export function run(home, args, { input = '', env = {}, wrap = [], patience = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const [command, ...rest] = [...wrap, BINARY, ...args];
    const child = spawn(command, rest, { env: home.env(env), cwd: home.workspace, stdio: ['pipe', 'pipe', 'pipe'] });
    const result = { stdout: '', stderr: '', code: null, signal: null };
    child.stdout.on('data', (data) => (result.stdout += data));
    child.stderr.on('data', (data) => (result.stderr += data));
    child.stdin.on('error', () => {});  // a refusal may come before the input was read
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...result, code, signal });
    });
    child.stdin.end(input);
  });
}

// The program and everything it started, from /proc.
export function processTree(pid) {
  const found = [pid];
  for (const task of readdir(`/proc/${pid}/task`)) {
    const children = readText(`/proc/${pid}/task/${task}/children`).trim();
    for (const child of children ? children.split(/\s+/) : []) found.push(...processTree(Number(child)));
  }
  return found;
}

function readdir(directory) {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

export function readText(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

export class Deck {
  // Starts `neuraldeck serve`. `home` may be one that an earlier deck used.
  static async start({ home = new Home(), args = [], env = {}, wrap = [], port, binary = BINARY } = {}) {
    const deck = new Deck();
    deck.home = home;
    deck.port = port ?? (await freePort());
    deck.origin = `http://127.0.0.1:${deck.port}`;
    deck.output = '';
    deck.exit = null;
    const command = [...wrap, binary, 'serve', '--workspace', home.workspace, '--data-dir', home.data,
      '--port', String(deck.port), ...args];
    deck.child = spawn(command[0], command.slice(1), { env: home.env(env), cwd: home.workspace, stdio: ['ignore', 'pipe', 'pipe'] });
    deck.pid = deck.child.pid;
    for (const stream of [deck.child.stdout, deck.child.stderr]) stream.on('data', (data) => (deck.output += data));
    deck.child.on('error', (error) => (deck.exit = { code: null, signal: null, error }));
    deck.exited = new Promise((resolve) => deck.child.on('close', (code, signal) => {
      deck.exit ??= { code, signal };
      resolve(deck.exit);
    }));
    try {
      await until('the server to answer', async () => {
        if (deck.exit) throw new Error(`the server ended at once: ${JSON.stringify(deck.exit)}\n${deck.output}`);
        return deck.answers();
      }, 30_000);
    } catch (error) {
      await deck.kill();
      throw new Error(`${error.message}\n--- output:\n${deck.output}`, { cause: error });
    }
    return deck;
  }

  // A deck whose first administrator exists and is signed in as `deck.admin`.
  static async startWithAdmin(options) {
    const deck = await Deck.start(options);
    try {
      deck.admin = await deck.setUp();
    } catch (error) {
      await deck.stop();
      throw error;
    }
    return deck;
  }

  async answers() {
    try {
      return (await this.client().get('/health')).status === 200;
    } catch {
      return false;
    }
  }

  client() {
    return new Client(this.port);
  }

  // The token of the printed link.
  setupToken() {
    return until('the setup link', () => /\/setup#(?:token=)?([A-Za-z0-9_-]+)/.exec(this.output)?.[1]);
  }

  async setUp() {
    const setupToken = await this.setupToken();
    const client = this.client();
    const created = await client.post('/api/setup', { setupToken, ...ADMIN });
    if (created.status !== 200 && created.status !== 201) throw new Error(`setup: ${created.status} ${created.text}`);
    await client.signIn(ADMIN);
    return client;
  }

  // A further user, signed in.
  async user(userId, role, password = `password of ${userId} 1234`) {
    const created = await this.admin.post('/api/users', { userId, role, password });
    if (created.status !== 200 && created.status !== 201) throw new Error(`add user: ${created.status} ${created.text}`);
    const client = this.client();
    await client.signIn({ userId, password });
    return client;
  }

  // A command against this deck's state folder.
  run(args, options) {
    return run(this.home, [...args, '--data-dir', this.home.data], options);
  }

  async agentToken(user, scopes, expires = '1h') {
    const result = await this.run(['token', 'create', '--user', user, '--name', 'test', '--expires', expires, '--json',
      ...scopes.flatMap((scope) => ['--scope', scope])]);
    if (result.code !== 0) throw new Error(`token create: ${result.code} ${result.stderr}`);
    return JSON.parse(result.stdout);
  }

  processes() {
    return processTree(this.pid);
  }

  // Ends by SIGTERM as a service manager would; true if it went within `patience`.
  async stop(patience = 15_000) {
    if (!this.exit) this.child.kill('SIGTERM');
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(() => resolve('late'), patience)));
    const first = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (first === 'late') {
      await this.kill();
      throw new Error(`the server did not end within ${patience} ms of SIGTERM\n${this.output}`);
    }
    return this.exit;
  }

  async kill() {
    for (const pid of this.exit ? [] : this.processes().reverse()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // gone already
      }
    }
    await this.exited;
  }

  // Stop, and forget the state folder.
  async end() {
    await this.stop();
    this.home.remove();
  }
}
