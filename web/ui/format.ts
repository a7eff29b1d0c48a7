// Money and dates by Intl; amounts typed on a keypad.

import type { Timestamp } from '../api/types';

/** `3650` fen as `¥36.50`. */
export function money(amount_minor: number, tag: string): string {
  return new Intl.NumberFormat(tag, { style: 'currency', currency: 'CNY', currencyDisplay: 'narrowSymbol' }).format(amount_minor / 100);
}

/** The same with its sign, for activity lists: `+¥100.00`, `-¥36.50`. */
export function signedMoney(amount_minor: number, tag: string): string {
  return new Intl.NumberFormat(tag, {
    style: 'currency',
    currency: 'CNY',
    currencyDisplay: 'narrowSymbol',
    signDisplay: 'exceptZero',
  }).format(amount_minor / 100);
}

/** For speech, where a currency sign would be read as a symbol or not at all. */
export function spokenMoney(amount_minor: number, tag: string): string {
  return new Intl.NumberFormat(tag, { style: 'currency', currency: 'CNY', currencyDisplay: 'name' }).format(amount_minor / 100);
}

/** Day and time to the minute. */
export function dateTime(at: Timestamp, tag: string): string {
  return new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

/** Day and time to the second, where order matters. */
export function exactTime(at: Timestamp, tag: string): string {
  return new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'medium' }).format(at);
}

/** Largest amount a keypad takes: seven digits before the point. */
export const keypad_minor_max = 999_999_999;

/** What a typed amount such as `36.5` means in minor units; `undefined` when it is no amount above zero. */
export function typedMinor(text: string): number | undefined {
  const match = /^(\d{1,7})(?:\.(\d{0,2}))?$/.exec(text.trim());
  if (!match) return undefined;
  const minor = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  return minor > 0 ? minor : undefined;
}

/** `3650` fen as the text a person would type: `36.50`. */
export function typedText(amount_minor: number): string {
  return `${Math.trunc(amount_minor / 100)}.${String(amount_minor % 100).padStart(2, '0')}`;
}

/** The keypad's amount after one more key: digits shift in from the right, as on a card terminal. */
export function afterKey(amount_minor: number, key: string): number {
  if (key === 'back') return Math.trunc(amount_minor / 10);
  if (key === 'clear') return 0;
  const next = key === '00' ? amount_minor * 100 : amount_minor * 10 + Number(key);
  return Number.isSafeInteger(next) && next <= keypad_minor_max ? next : amount_minor;
}
