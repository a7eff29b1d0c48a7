// The platform's routes for customer service: a session cookie, and a header on every write that a foreign page cannot set.

import { call, newIdempotencyKey } from './client';
import type { Assertion, Attestation, Case, Desk, FreezeReason, PasskeyRequest } from './types';

const writes = (key: string = newIdempotencyKey()) => ({ 'x-handsel-service': '1', 'idempotency-key': key });
const post = <T>(path: string, json: unknown, key?: string) => call<T>(path, { method: 'POST', json, headers: writes(key) });

export const service = {
  askToJoin: (code: string) => post<PasskeyRequest>('/v1/service/invitation', { code }),
  redeem: (code: string, attestation: Attestation) => post<Desk>('/v1/service/session', { code, attestation }),
  askToSignIn: () => post<PasskeyRequest>('/v1/service/session/request', {}),
  signIn: (assertion: Assertion) => post<Desk>('/v1/service/session/passkey', { assertion }),
  signOut: () => call<void>('/v1/service/session', { method: 'DELETE', headers: writes() }),
  read: () => call<Desk>('/v1/service'),
  /** In the body, so that no address and no history has it. */
  lookUp: (reference: string) => post<Case>('/v1/service/look-ups', { reference }),
  freeze: (lookUp: string, reason: FreezeReason, key: string) => post<Case>(`/v1/service/look-ups/${encodeURIComponent(lookUp)}/freeze`, { reason }, key),
};
