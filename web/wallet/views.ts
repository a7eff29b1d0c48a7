// The views of the wallet and their addresses.

const plain = ['home', 'top-up', 'activity', 'queries', 'enrol', 'delete', 'privacy', 'limits', 'safety', 'devices', 'duress', 'close', 'disputes', 'terms', 'helpers', 'places', 'vouchers', 'service'] as const;
/** Of one thing, which the address names: reachable also by bookmark and reload. */
const ofOne = ['deletion', 'receipt', 'not-me', 'dispute', 'helped'] as const;

export type ViewName = (typeof plain)[number] | (typeof ofOne)[number];
export type View = { name: (typeof plain)[number] } | { name: (typeof ofOne)[number]; id: string };

/** The view of an address such as `#/activity` or `#/receipt/pay_…`; the overview for whatever is none. */
export function viewOf(hash: string): View {
  const [name, id] = hash.replace(/^#\/?/, '').split('/');
  const one = ofOne.find((view) => view === name);
  if (one && id && /^[a-z]+_[0-9a-z]+$/.test(id)) return { name: one, id };
  return { name: plain.find((view) => view === name) ?? 'home' };
}
