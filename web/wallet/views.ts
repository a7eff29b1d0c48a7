// The views of the wallet and their addresses.

export type View =
  | { name: 'home' | 'top-up' | 'activity' | 'queries' | 'enrol' | 'delete' | 'privacy' }
  /** A deletion under way or done: reachable by its enrolment also when the account shows no face any more. */
  | { name: 'deletion'; enrolment: string };

const plain = ['top-up', 'activity', 'queries', 'enrol', 'delete', 'privacy'] as const;

/** The view of an address such as `#/activity`; the overview for whatever is none. */
export function viewOf(hash: string): View {
  const [name, argument] = hash.replace(/^#\/?/, '').split('/');
  if (name === 'deletion' && argument && /^[a-z]+_[0-9a-z]+$/.test(argument)) return { name: 'deletion', enrolment: argument };
  const known = plain.find((view) => view === name);
  return { name: known ?? 'home' };
}
