// An offline voucher as a till checks it without network. The bytes are documented in crates/payments/src/voucher.

import type { Code } from '../api/problem';
import type { Timestamp, VoucherKit } from '../api/types';

export interface Voucher {
  /** `vch_…`. */
  id: string;
  /** `sto_…`. */
  store: string;
  most_minor: number;
  expires_at: Timestamp;
}

const body_len = 50;
const text_len = 2 * (body_len + 64);
const domain = new TextEncoder().encode('handsel/voucher/v1\0');
/** Crockford's base-32 alphabet, as identifiers have it. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** The voucher of a text that somebody showed; nothing if it is none that this key (64 hexadecimal digits) signed. */
export async function readVoucher(text: string, publicKey: string): Promise<Voucher | undefined> {
  const bytes = unhex(text.replace(/\s/g, ''), text_len);
  const key = unhex(publicKey, 64);
  if (!bytes || !key) return undefined;
  const body = bytes.slice(0, body_len);
  const signed = new Uint8Array([...domain, ...body]);
  const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  if (!(await crypto.subtle.verify('Ed25519', imported, bytes.slice(body_len), signed))) return undefined;
  if (body[0] !== 1 || String.fromCharCode(...body.slice(41, 44)) !== 'CNY') return undefined;
  return {
    id: `vch_${identifier(body.slice(5, 21))}`,
    store: `sto_${identifier(body.slice(21, 37))}`,
    most_minor: Number(number(body.slice(37, 41))),
    expires_at: Number(number(body.slice(44, 50))),
  };
}

/** Why a sound voucher is not taken here and now; nothing if it is. */
export function refusalOf(voucher: Voucher, amount_minor: number, kit: VoucherKit, takenHere: boolean, now: Timestamp): Code | undefined {
  if (voucher.store !== kit.store) return 'voucher_invalid';
  if (takenHere) return 'voucher_used';
  if (kit.stopped.includes(voucher.id)) return 'voucher_stopped';
  if (now >= voucher.expires_at) return 'voucher_expired';
  if (amount_minor > voucher.most_minor || amount_minor > kit.voucher_max_minor) return 'voucher_exceeded';
  return undefined;
}

/** The list is too old to take anything with it. */
export function isStale(kit: VoucherKit, now: Timestamp): boolean {
  return now - kit.at > kit.list_age_max_s * 1_000;
}

/** What both sides can say to each other: the last six characters of the identifier. */
export function codeOfVoucher(id: string): string {
  return id.slice(-6).toUpperCase();
}

function unhex(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== length || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function number(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** 128 bits as 26 characters. */
function identifier(bytes: Uint8Array): string {
  const bits = number(bytes);
  return Array.from({ length: 26 }, (_, at) => alphabet[Number((bits >> BigInt(5 * (25 - at))) & 31n)]).join('');
}
