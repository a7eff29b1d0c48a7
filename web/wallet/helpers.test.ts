import { expect, test } from 'vitest';
import type { Activity } from '../api/types';
import { isNotable, newlyNotable } from './helpers';

const row = (kind: Activity['kind'], amount_minor: number, at = 0): Activity => ({ id: 'pay_1', kind, amount_minor, at, counterparty: 'Shop' });

test.each([
  ['payment', -20_000, true],
  ['payment', -19_999, false],
  ['refund', 30_000, false],
  ['compensation_taken_back', -30_000, false],
] as const)('%s of %d is notable: %s', (kind, amount_minor, expected) => {
  expect(isNotable(row(kind, amount_minor), 20_000)).toBe(expected);
});

test('only the last day is pointed out', () => {
  const activity = [row('payment', -20_000, 86_400_000), row('payment', -20_000, 86_400_001), row('payment', -1, 172_800_000)];
  expect(newlyNotable({ activity, notable_payment_minor: 20_000 }, 172_800_001)).toBe(1);
});
