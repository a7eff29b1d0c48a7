// Which screen the till shows: pure rules, tested in steps.test.ts.

import { NoAnswerError, ProblemError, type Code, type Problem } from '../api/problem';
import type { Payment } from '../api/types';
import type { Taken } from './outage.svelte';
import type { LookRefusal } from '../ui/look';

/** Why a look led nowhere although the payment may still be open. Nothing was charged in any of these. */
export type Stop = LookRefusal | { lost: true };

export type Screen =
  | { name: 'amount' }
  | { name: 'recent' }
  | { name: 'staff' }
  | { name: 'voucher'; amount_minor: number }
  | { name: 'taken'; taken: Taken }
  | { name: 'offer'; payment: Payment }
  | { name: 'suffix'; payment: Payment }
  | { name: 'looking'; payment: Payment }
  | { name: 'checking'; payment: Payment }
  | { name: 'passcode'; payment: Payment; problem?: Problem }
  | { name: 'stopped'; payment: Payment; stop: Stop }
  | { name: 'result'; payment: Payment };

/** The screen of a payment as the platform says it stands. */
export function screenOf(payment: Payment): Screen {
  switch (payment.status) {
    case 'created':
    case 'challenged':
      return { name: payment.phone_suffix_required ? 'suffix' : 'offer', payment };
    case 'being_checked':
      return { name: 'checking', payment };
    case 'awaiting_passcode':
      return { name: 'passcode', payment };
    case 'authorised':
    case 'paid':
    case 'refused':
    case 'expired':
    case 'cancelled':
    case 'voided':
    case 'undone':
      return { name: 'result', payment };
  }
}

/** Whether the payment can still end in `paid`. */
export function isOpen(payment: Payment): boolean {
  return screenOf(payment).name !== 'result';
}

/** Codes after which it is not known whether the platform acted: the payment is asked for until it is. */
const unknownCodes: ReadonlySet<Code> = new Set<Code>(['platform_unreachable', 'internal', 'request_in_flight', 'state_conflict', 'storage_full']);

/** `code` itself when it says that a look has ended at the platform, however the payment stands; else nothing. */
export function answered(code: Code): Code | undefined {
  return code === 'storage_full' ? code : undefined;
}

/** What a failed step means: read the payment until it is known, or a definite refusal. */
export function meaningOf(error: unknown): 'unknown' | Problem {
  if (error instanceof ProblemError) return unknownCodes.has(error.problem.code) ? 'unknown' : error.problem;
  if (error instanceof NoAnswerError) return 'unknown';
  throw error;
}

/**
 * How long a look that was sent may still arrive at the platform, in milliseconds: until its challenge ends. By the
 * platform's clock alone, so that a till with a wrong clock waits as long as it must.
 */
export function lookCanArrive_ms(payment: Payment): number {
  const margin_ms = 1_000;
  const ceiling_ms = 120_000;
  if (!payment.challenge) return ceiling_ms;
  return Math.min(ceiling_ms, payment.challenge.expires_at - payment.challenge.issued_at + margin_ms);
}

/** What may be done after `code`: look again, look again with the phone's last digits, or only pay another way. */
export function waysOn(code: Code): { again: boolean; withDigits: boolean } {
  const final: readonly Code[] = ['passcode_locked', 'insufficient_balance', 'limit_exceeded', 'account_paused', 'account_frozen', 'account_closed', 'declined_by_payer', 'probe_invalid'];
  return { again: !final.includes(code) && code !== 'ambiguous', withDigits: code === 'ambiguous' };
}

/** What is left to refund, in minor units. */
export function refundable_minor(payment: Payment): number {
  return payment.status === 'paid' ? payment.amount_minor - payment.refunded_minor : 0;
}

/** From press to paid; above it the lane is slower than its target for a first payment. */
export const slow_ms = 8_000;

/** A look at this till, from press to its end: paid, refused, or led nowhere. Milliseconds since the page began. */
export interface LookTime {
  startTime: number;
  duration: number;
}

/**
 * How long a look takes here: the median of the latest few of the last half hour. `undefined` while there are fewer than
 * three, so that one shopper who took long, or a slow hour long ago, says nothing about the lane.
 */
export function typical_ms(looks: readonly LookTime[], now_ms: number): number | undefined {
  const latest = looks.filter(({ startTime }) => now_ms - startTime <= 1_800_000).slice(-7);
  return latest.length < 3 ? undefined : middle(latest.map(({ duration }) => duration));
}

/** The median; `undefined` of nothing. */
export function middle(numbers: readonly number[]): number | undefined {
  const sorted = [...numbers].sort((one, two) => one - two);
  const half = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
