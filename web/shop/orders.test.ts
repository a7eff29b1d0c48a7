import { expect, test } from 'vitest';
import type { Payment } from '../api/types';
import { csvOfOrders, periodStart } from './orders';

const order: Payment = {
  id: 'pay_1', status: 'paid', amount_minor: 3650, currency: 'CNY', merchant: 'mer_1', merchant_name: 'Lotus', store: 'sto_1',
  store_name: '=Store, "1"', terminal: 'ter_1', created_at: 0, expires_at: 1, capture: 'automatic', captured_minor: 3650,
  refunded_minor: 5, refunds: [], rules_version: 'cn/1', merchant_reference: '-7',
};

test('a file of orders has one line each and no formula', () => {
  const [head, line, end] = csvOfOrders([order]).split('\r\n');
  expect(head?.split(',')).toHaveLength(11);
  expect(line).toBe(`pay_1,1970-01-01T00:00:00.000Z,paid,36.5,36.5,0.05,CNY,"'=Store, ""1""",ter_1,'-7,`);
  expect(end).toBe('');
});

test('periods begin at midnight', () => {
  const now = new Date(2026, 10, 22, 18, 30).getTime();
  expect(periodStart('today', now)).toBe(new Date(2026, 10, 22).getTime());
  expect(periodStart('week', now)).toBe(new Date(2026, 10, 16).getTime());
  expect(periodStart('all', now)).toBeUndefined();
});
