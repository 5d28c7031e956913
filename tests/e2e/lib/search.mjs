// Looks for secrets where none may be: in files, in /proc, in memory.
import fs from 'node:fs';
import path from 'node:path';
import { readText } from './deck.mjs';

// A secret as it might lie somewhere: plain, hexadecimal, and base64 at each of its three alignments.
export function spellings(secret) {
  const bytes = Buffer.from(secret);
  const found = [bytes, Buffer.from(bytes.toString('hex')), Buffer.from(encodeURIComponent(secret))];
  for (let shift = 0; shift < 3; shift++) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
    // Cut off what depends on the neighbours.
    found.push(Buffer.from(text.slice(Math.ceil((shift * 4) / 3), -2)));
  }
  return found;
}

export class Canaries {
  constructor(secrets) {
    this.entries = Object.entries(secrets).flatMap(([name, secret]) => spellings(secret).map((bytes) => ({ name, bytes })));
    this.longest = Math.max(...this.entries.map((entry) => entry.bytes.length));
  }
  // Names of the canaries in `bytes`.
  in(bytes) {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
    return [...new Set(this.entries.filter((entry) => buffer.includes(entry.bytes)).map((entry) => entry.name))];
  }
}

export function* filesBelow(directory) {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const full = path.join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(full);
    else if (entry.isFile()) yield full;
  }
}

// Where canaries lie, as plain text, in the readable memory of a process. `stem` is a word that every canary contains: memory
// without it need not be searched for each of them. Needs root.
export function searchMemory(pid, canaries, stem) {
  const hits = [];
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(4 << 20);
  let searched = 0;
  try {
    for (const line of readText(`/proc/${pid}/maps`).split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (!match || /\[v(var|sysc|dso)|^\/dev\//.test(match[3])) continue;
      let at = parseInt(match[1], 16);
      const end = parseInt(match[2], 16);
      while (at < end) {
        let got;
        try {
          got = fs.readSync(memory, chunk, 0, Math.min(chunk.length, end - at), at);
        } catch {
          break;  // a region that only looks readable
        }
        if (got === 0) break;
        searched += got;
        const part = chunk.subarray(0, got);
        if (part.includes(stem)) for (const name of canaries.in(part)) hits.push(`${name} in ${match[3] || 'anonymous memory'} of ${pid}`);
        if (got <= canaries.longest || at + got >= end) break;
        at += got - canaries.longest;
      }
    }
  } finally {
    fs.closeSync(memory);
  }
  return { hits: [...new Set(hits)], searched };
}
