// What an account's list says about one payment: pure, tested in history.test.ts.

import type { Activity, Dispute, List, Me, Timestamp } from '../api/types';

/** Everything that the lists say about one row. */
export interface Receipt {
  row: Activity;
  /** What came back of it, newest first. */
  returned: readonly Activity[];
  returned_minor: number;
  dispute: Dispute | undefined;
}

/** The receipt of row `id`; `undefined` when it is no row of the list. `rows` are newest first and reach down to it. */
export function receiptOf(id: string, rows: readonly Activity[], disputes: readonly Dispute[]): Receipt | undefined {
  const row = rows.find((row) => row.id === id);
  if (!row) return undefined;
  const returned = rows.filter(({ kind, payment }) => kind === 'refund' && payment === id);
  return {
    row,
    returned,
    returned_minor: returned.reduce((sum, { amount_minor }) => sum + amount_minor, 0),
    dispute: disputes.find(({ payment }) => payment === id),
  };
}

/** Until when a payment can be undone; `undefined` when it cannot, whatever the time. */
export function undoUntil({ row, returned, dispute }: Receipt, me: Me): Timestamp | undefined {
  const can = row.kind === 'payment' && returned.length === 0 && !dispute && -row.amount_minor <= me.undo_payment_max_minor;
  return can ? row.at + me.undo_window_s * 1000 : undefined;
}

/** Whether a payment can still be disputed as far as the lists tell: once, and while something of it is not returned. */
export function canDispute({ row, returned_minor, dispute }: Receipt): boolean {
  return row.kind === 'payment' && !dispute && returned_minor < -row.amount_minor;
}

const page_max = 100;

/** The list from its newest row down to row `id`, or all of it. */
export async function rowsDownTo(id: string, load: (startingAfter?: string, limit?: number) => Promise<List<Activity>>): Promise<Activity[]> {
  return collect(load, (rows) => rows.some((row) => row.id === id));
}

/** A whole list that the server gives out in pages; it ends early when `enough`. */
export async function collect<Row extends { id: string }>(
  load: (startingAfter?: string, limit?: number) => Promise<List<Row>>,
  enough: (rows: readonly Row[]) => boolean = () => false,
): Promise<Row[]> {
  let rows: Row[] = [];
  for (;;) {
    const page = await load(rows.at(-1)?.id, page_max);
    rows = [...rows, ...page.data];
    if (!page.has_more || enough(page.data)) return rows;
  }
}
