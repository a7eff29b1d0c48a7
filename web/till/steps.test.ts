import { expect, test } from 'vitest';
import { Code, NoAnswerError, ProblemError } from '../api/problem';
import type { Payment, PaymentStatus } from '../api/types';
import { answered, isOpen, lookCanArrive_ms, meaningOf, middle, refundable_minor, screenOf, typical_ms, waysOn } from './steps';

function payment(status: PaymentStatus, more: Partial<Payment> = {}): Payment {
  return {
    id: 'pay_00000000000000000000000001',
    status,
    amount_minor: 3650,
    currency: 'CNY',
    merchant: 'mer_00000000000000000000000001',
    merchant_name: 'Lotus Pharmacy',
    store: 'sto_00000000000000000000000001',
    store_name: 'Store 12',
    terminal: 'ter_00000000000000000000000001',
    created_at: 1_000,
    expires_at: 301_000,
    refunded_minor: 0,
    refunds: [],
    capture: 'automatic',
    captured_minor: 0,
    rules_version: 'cn/2026-11-01',
    ...more,
  };
}

const problem = (code: Code) => new ProblemError({ type: '', title: '', status: 402, code, remedy: '' });

test.each([
  ['created', 'offer', true],
  ['challenged', 'offer', true],
  ['being_checked', 'checking', true],
  ['awaiting_passcode', 'passcode', true],
  ['authorised', 'result', false],
  ['paid', 'result', false],
  ['refused', 'result', false],
  ['expired', 'result', false],
  ['cancelled', 'result', false],
  ['voided', 'result', false],
  ['undone', 'result', false],
] as const)('%s shows %s', (status, screen, open) => {
  expect(screenOf(payment(status)).name).toBe(screen);
  expect(isOpen(payment(status))).toBe(open);
});

test('after a search without digits that did not find one person the digits are asked', () => {
  const missed = payment('created', { phone_suffix_required: true });
  expect(screenOf(missed).name).toBe('suffix');
  expect(isOpen(missed)).toBe(true);
});

test.each([
  [new NoAnswerError('no answer'), 'unknown'],
  [problem('platform_unreachable'), 'unknown'],
  [problem('internal'), 'unknown'],
  [problem('state_conflict'), 'unknown'],
  [problem('not_recognised'), 'not_recognised'],
  [problem('several_faces'), 'several_faces'],
  [problem('passcode_wrong'), 'passcode_wrong'],
] as const)('%s means %s', (error, meaning) => {
  const meant = meaningOf(error);
  expect(meant === 'unknown' ? meant : meant.code).toBe(meaning);
});

test('of the unclear answers only a full disk says that the look has ended', () => {
  const unclear = Code.filter((code) => meaningOf(problem(code)) === 'unknown');
  expect(unclear.filter((code) => answered(code))).toEqual(['storage_full']);
});

test('an error of our own is not swallowed', () => {
  expect(() => meaningOf(new TypeError('bug'))).toThrow(TypeError);
});

test.each([
  [{ nonce: '', issued_at: 5_000, expires_at: 35_000 }, 31_000],
  [{ nonce: '', issued_at: 0, expires_at: 999_000 }, 120_000],
  [undefined, 120_000],
])('a look may arrive for %j', (challenge, ms) => {
  expect(lookCanArrive_ms(payment('challenged', challenge ? { challenge } : {}))).toBe(ms);
});

test('digits are offered exactly when the look was ambiguous', () => {
  expect(Code.filter((code) => waysOn(code).withDigits)).toEqual(['ambiguous']);
  expect(waysOn('not_recognised').again).toBe(true);
  for (const code of ['account_paused', 'account_frozen', 'account_closed'] as const) expect(waysOn(code).again).toBe(false);
});

test.each([
  ['paid', 0, 3650],
  ['paid', 650, 3000],
  ['paid', 3650, 0],
  ['refused', 0, 0],
] as const)('%s with %d refunded leaves %d', (status, refunded_minor, left) => {
  expect(refundable_minor(payment(status, { refunded_minor }))).toBe(left);
});

const minute_ms = 60_000;
test.each([
  ['nothing yet', [], undefined],
  ['two say nothing', [9_000, 9_000], undefined],
  ['the median of three', [1_000, 30_000, 2_000], 2_000],
  ['only the latest seven', [99_000, 99_000, 99_000, 99_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000], 1_000],
])('how long a look takes here: %s', (_name, durations, expected) => {
  const looks = durations.map((duration, at) => ({ startTime: at * minute_ms, duration }));
  expect(typical_ms(looks, 12 * minute_ms)).toBe(expected);
});

test('a slow hour is forgotten, so that the till goes back to looks', () => {
  const looks = [1, 2, 3].map((at) => ({ startTime: at * minute_ms, duration: 20_000 }));
  expect(typical_ms(looks, 31 * minute_ms)).toBe(20_000);
  expect(typical_ms(looks, 32 * minute_ms)).toBeUndefined();
});

test.each([
  [[], undefined],
  [[3], 3],
  [[9, 1], 5],
  [[9, 1, 2], 2],
])('the middle one of %j', (numbers, expected) => expect(middle(numbers)).toBe(expected));
