// Forged session tokens of every kind that has ever worked against somebody.
import crypto from 'node:crypto';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const hs256 = (input, key) => crypto.createHmac('sha256', key).update(input).digest('base64url');

// name -> token, made from a genuine one.
export function forgeries(genuine) {
  const [head, body, tag] = genuine.split('.');
  const header = decode(head);
  const claims = decode(body);
  const signed = (h, c, key = 'guess') => {
    const input = `${encode(h)}.${encode(c)}`;
    return `${input}.${hs256(input, key)}`;
  };
  const flipped = tag.slice(0, -2) + (tag.at(-2) === 'A' ? 'B' : 'A') + tag.at(-1);
  const { kid: _, ...withoutKid } = header;
  return {
    'none algorithm, no tag': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'none algorithm, old tag': `${encode({ ...header, alg: 'none' })}.${body}.${tag}`,
    'None in capitals': `${encode({ ...header, alg: 'NONE' })}.${body}.`,
    'HS512 named, HS256 made': signed({ ...header, alg: 'HS512' }, claims),
    'RS256 named': signed({ ...header, alg: 'RS256' }, claims),
    'a guessed key': signed(header, claims),
    'an empty key': signed(header, claims, ''),
    'the kid as the key': signed(header, claims, header.kid),
    'an unknown kid': `${encode({ ...header, kid: 'nobody' })}.${body}.${tag}`,
    'a path as kid': `${encode({ ...header, kid: '../../dev/null' })}.${body}.${tag}`,
    'no kid': `${encode(withoutKid)}.${body}.${tag}`,
    'a key in the header': signed({ ...header, jwk: { kty: 'oct', k: encode('guess') } }, claims),
    'another typ': `${encode({ ...header, typ: 'refresh' })}.${body}.${tag}`,
    'another subject': `${head}.${encode({ ...claims, sub: 'root' })}.${tag}`,
    'a longer life': `${head}.${encode({ ...claims, exp: claims.exp + 1e6 })}.${tag}`,
    'a flipped bit in the tag': `${head}.${body}.${flipped}`,
    'no tag': `${head}.${body}.`,
    'a short tag': `${head}.${body}.${tag.slice(0, 20)}`,
    'two parts': `${head}.${body}`,
    'four parts': `${genuine}.x`,
    'padding': `${genuine}=`,
    'standard base64': genuine.replaceAll('-', '+').replaceAll('_', '/') + '+',
    'spaces inside': `${head} .${body}.${tag}`,
    'an agent token that never was': `nda_${'a'.repeat(16)}_${'b'.repeat(43)}`,
    'an agent token without secret': 'nda__',
    'nothing but dots': '..',
    'very long': 'a'.repeat(8_000),
  };
}
