// What is pointed out to a trusted helper: pure, tested in helpers.test.ts.

import type { Activity, Helped } from '../api/types';

const day_ms = 86_400_000;

/** Whether a movement is a payment of the sum from which helpers are told. */
export function isNotable(row: Pick<Activity, 'kind' | 'amount_minor'>, notable_payment_minor: number): boolean {
  return row.kind === 'payment' && -row.amount_minor >= notable_payment_minor;
}

/** The notable payments of the last day. */
export function newlyNotable({ activity, notable_payment_minor }: Pick<Helped, 'activity' | 'notable_payment_minor'>, now_ms: number): number {
  return activity.filter((row) => isNotable(row, notable_payment_minor) && now_ms - row.at <= day_ms).length;
}
