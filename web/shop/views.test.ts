import { expect, test } from 'vitest';
import { plainViews, sees, viewOf } from './views';

test('an address leads to a view that its reader may see', () => {
  const cashier = ['read_payments', 'refund', 'read_tills'] as const;
  expect(plainViews.filter((view) => sees(cashier, view))).toEqual(['orders', 'approvals', 'tills']);
  expect(viewOf('#/tills', cashier)).toEqual({ name: 'tills' });
  expect(viewOf('#/staff', cashier)).toEqual({ name: 'orders' });
  expect(viewOf('', ['read_figures', ...cashier])).toEqual({ name: 'today' });
  expect(viewOf('#/order/pay_01', cashier)).toEqual({ name: 'order', id: 'pay_01' });
  expect(viewOf('#/order/<script>', cashier)).toEqual({ name: 'orders' });
  expect(viewOf('#/join/7Q4M-0XKD', [])).toEqual({ name: 'join', id: '7Q4M-0XKD' });
});
