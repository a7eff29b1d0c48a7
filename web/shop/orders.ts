// Orders as a file, and the days that a filter may name.

import type { Payment } from '../api/types';
import { csvLine } from '../ui/csv';

const columns = ['id', 'created_at', 'status', 'amount', 'captured', 'refunded', 'currency', 'store', 'terminal', 'reference', 'refusal'];

/** Amounts in yuan, times in ISO 8601; nothing that names a shopper, because nothing does. */
export function csvOfOrders(orders: readonly Payment[]): string {
  const yuan = (minor: number) => (minor / 100).toFixed(2);
  const lines = orders.map((order) =>
    csvLine([
      order.id,
      new Date(order.created_at).toISOString(),
      order.status,
      Number(yuan(order.amount_minor)),
      Number(yuan(order.captured_minor)),
      Number(yuan(order.refunded_minor)),
      order.currency,
      order.store_name,
      order.terminal,
      order.merchant_reference ?? undefined,
      order.refusal,
    ]),
  );
  return [columns.join(','), ...lines, ''].join('\r\n');
}

export type Period = 'today' | 'week' | 'all';

/** When a period began, by this computer's days. */
export function periodStart(period: Period, now: number): number | undefined {
  if (period === 'all') return undefined;
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  return midnight.getTime() - (period === 'week' ? 6 * 86_400_000 : 0);
}
