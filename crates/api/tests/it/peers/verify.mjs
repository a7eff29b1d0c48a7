// Verifies one webhook with npm's standardwebhooks, and its Ed25519 signature with Node's own cryptography: JSON {secret,
// public_key, headers, body} on standard input. Says `right`, then that an altered body is refused, for both.
import { createRequire } from 'node:module';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.NODE_PEERS + '/');
const { Webhook } = require('standardwebhooks');
const given = JSON.parse(readFileSync(0, 'utf8'));

// The library compares the time with the machine's clock; the tests' clock is another one.
Date.now = () => Number(given.headers['webhook-timestamp']) * 1000;

const webhook = new Webhook(given.secret);
const event = webhook.verify(given.body, given.headers);
console.log('right', event.type);
const altered = given.body.replace('paid', 'pald');
try {
  webhook.verify(altered, given.headers);
  console.log('altered: accepted');
} catch {
  console.log('altered: refused');
}

const raw = Buffer.from(given.public_key.replace('whpk_', ''), 'base64');
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
const signature = given.headers['webhook-signature'].split(' ').find((one) => one.startsWith('v1a,')).slice(4);
const signed = (body) => Buffer.from(`${given.headers['webhook-id']}.${given.headers['webhook-timestamp']}.${body}`);
const holds = (body) => verify(null, signed(body), key, Buffer.from(signature, 'base64'));
console.log('ed25519', holds(given.body), holds(altered));
