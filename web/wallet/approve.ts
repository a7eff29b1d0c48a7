// Asks one of the owner's devices to approve something, in the browser's own dialog.

import { answer, challengeOf, register } from '../api/device';
import type { Approvable, Assertion, Me, Passkey } from '../api/types';
import { wallet as platform } from '../api/wallet';

export async function approve(wanted: Approvable): Promise<Assertion> {
  return answer(await platform.approvalRequest(wanted));
}

/** The same where the account has a device; without one nothing is asked. */
export async function approveIfBound(me: Me, wanted: Approvable): Promise<Assertion | null> {
  return me.devices.length === 0 ? null : approve(wanted);
}

/** How a device may be bound now. */
export type Way = 'first' | 'approved' | 'lost';

export function wayOf(me: Me): Way {
  if (me.first_device) return 'first';
  return me.devices.length === 0 || me.approvals_frozen ? 'lost' : 'approved';
}

/** Binds the device in hand. */
export async function bind(me: Me, name: string, passcode: string | undefined, key: string): Promise<Passkey> {
  const request = await platform.bindRequest();
  const attestation = await register(request);
  const approval = wayOf(me) === 'approved' ? await approve({ for: 'device', challenge: challengeOf(request) }) : null;
  return platform.bind({ name, attestation, approval, passcode: passcode ?? null }, key);
}
