import { expect, test } from 'vitest';
import type { Activity, Dispute, Me } from '../api/types';
import { canDispute, collect, receiptOf, rowsDownTo, undoUntil } from './history';

const me = { undo_window_s: 60, undo_payment_max_minor: 20_000 } as Me;
const payment = (amount_minor: number): Activity => ({ kind: 'payment', id: 'pay_1', amount_minor: -amount_minor, counterparty: 'Shop', at: 1_000 });
const refund = (amount_minor: number, of = 'pay_1'): Activity => ({ kind: 'refund', id: `re_${amount_minor}`, payment: of, amount_minor, counterparty: 'Shop', at: 2_000 });
const dispute = { id: 'dp_1', payment: 'pay_1' } as Dispute;
const receipt = (rows: Activity[], disputes: Dispute[] = []) => receiptOf('pay_1', rows, disputes)!;

test('a receipt has what came back of its payment and nothing of others', () => {
  const { returned, returned_minor } = receipt([refund(300), refund(50), refund(7, 'pay_2'), payment(1_000)]);
  expect(returned.map(({ id }) => id)).toEqual(['re_300', 're_50']);
  expect(returned_minor).toBe(350);
  expect(receiptOf('pay_9', [payment(1)], [])).toBeUndefined();
});

test.each([
  ['a small one', receipt([payment(20_000)]), 61_000],
  ['a larger one', receipt([payment(20_001)]), undefined],
  ['one of which something came back', receipt([refund(1), payment(1_000)]), undefined],
  ['a disputed one', receipt([payment(1_000)], [dispute]), undefined],
  ['a top-up', receiptOf('top_1', [{ kind: 'top_up', id: 'top_1', amount_minor: 5, counterparty: 'Bank', at: 1_000 }], [])!, undefined],
])('undo: %s', (_, of, until) => expect(undoUntil(of, me)).toBe(until));

test.each([
  [receipt([payment(1_000)]), true],
  [receipt([refund(999), payment(1_000)]), true],
  [receipt([refund(1_000), payment(1_000)]), false],
  [receipt([payment(1_000)], [dispute]), false],
])('dispute %#', (of, can) => expect(canDispute(of)).toBe(can));

test('a list is read page by page, no further than needed', async () => {
  const asked: (string | undefined)[] = [];
  const all = Array.from({ length: 250 }, (_, at) => ({ ...payment(1), id: `pay_${at}` }));
  const load = async (after?: string, limit = 20) => {
    asked.push(after);
    const from = all.findIndex(({ id }) => id === after) + 1;
    return { data: all.slice(from, from + limit), has_more: from + limit < all.length };
  };
  expect((await rowsDownTo('pay_120', load)).length).toBe(200);
  expect(asked).toEqual([undefined, 'pay_99']);
  expect((await collect(load)).length).toBe(250);
});
