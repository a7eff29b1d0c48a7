// The views of the console, their addresses, and what somebody must be allowed to do to see each.

import type { Action } from '../api/types';

const needed = {
  today: 'read_figures',
  orders: 'read_payments',
  approvals: 'refund',
  disputes: 'read_disputes',
  tills: 'read_tills',
  money: 'read_payouts',
  staff: 'manage_staff',
  connections: 'manage_keys',
  office: 'manage_shop',
} as const satisfies Record<string, Action>;

export type PlainView = keyof typeof needed;
export const plainViews = Object.keys(needed) as PlainView[];
export type View = { name: PlainView } | { name: 'order' | 'deliveries' | 'join'; id: string };

/** Whether whoever may do `may` sees the view. */
export function sees(may: readonly Action[], view: PlainView): boolean {
  return may.includes(needed[view]);
}

/** The view of an address such as `#/orders`, `#/order/pay_…` or `#/join/CODE`; the first one for whatever is none. */
export function viewOf(hash: string, may: readonly Action[]): View {
  const [name, id] = hash.replace(/^#\/?/, '').split('/');
  if (name === 'join' && id) return { name, id };
  if ((name === 'order' || name === 'deliveries') && id && /^[a-z]+_[0-9a-z]+$/.test(id)) return { name, id };
  const open = plainViews.filter((view) => sees(may, view));
  return { name: open.find((view) => view === name) ?? open[0] ?? 'orders' };
}
