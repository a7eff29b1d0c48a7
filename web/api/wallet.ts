// The platform's wallet routes (a session cookie, and a header on every write that a foreign page cannot set) and the
// capture agent on the shopper's own machine.

import { call, newIdempotencyKey } from './client';
import type {
  Activity,
  BiometricQuery,
  CaptureAgent,
  Challenge,
  Consent,
  ConsentText,
  DeletionReceipt,
  Enrolment,
  List,
  LookAdvice,
  Me,
  NewAccount,
  NewConsent,
  NewSession,
  TopUp,
} from './types';

const writes = (key: string = newIdempotencyKey()) => ({ 'x-handsel-wallet': '1', 'idempotency-key': key });

export const wallet = {
  signUp: (account: NewAccount, key: string) => call<Me>('/v1/accounts', { method: 'POST', json: account, headers: writes(key) }),
  signIn: (session: NewSession) => call<Me>('/v1/sessions', { method: 'POST', json: session, headers: writes() }),
  signOut: () => call<void>('/v1/sessions/current', { method: 'DELETE', headers: writes() }),

  me: () => call<Me>('/v1/me'),
  pause: () => call<Me>('/v1/me/pause', { method: 'POST', headers: writes() }),
  resume: () => call<Me>('/v1/me/resume', { method: 'POST', headers: writes() }),
  topUp: (amount_minor: number, key: string) =>
    call<TopUp>('/v1/top-ups', { method: 'POST', json: { amount_minor }, headers: writes(key) }),
  activity: (startingAfter?: string) => call<List<Activity>>(`/v1/activity${page(startingAfter)}`),
  queries: (startingAfter?: string) => call<List<BiometricQuery>>(`/v1/queries${page(startingAfter)}`),

  consentTexts: (locale: 'zh' | 'en') => call<List<ConsentText>>(`/v1/consent-texts?locale=${locale}`),
  consent: (consent: NewConsent) => call<Consent>('/v1/consents', { method: 'POST', json: consent, headers: writes() }),

  beginEnrolment: (key: string) => call<Enrolment>('/v1/enrolments', { method: 'POST', headers: writes(key) }),
  enrolment: (id: string) => call<Enrolment>(`/v1/enrolments/${encodeURIComponent(id)}`, { patience_ms: 5_000 }),
  deletionReceipt: (id: string) => call<DeletionReceipt>(`/v1/enrolments/${encodeURIComponent(id)}/receipt`),
  deleteFace: (id: string) =>
    call<Enrolment>(`/v1/enrolments/${encodeURIComponent(id)}`, { method: 'DELETE', headers: writes() }),

  captureAgent: () => call<CaptureAgent>('/v1/capture-agent'),
};

/** The agent that looks for the wallet, at the address the platform names. No session goes there. */
export function captureAgent(url: string) {
  const base = url.replace(/\/+$/, '');
  return {
    /** One JPEG; the agent answers and keeps nothing. */
    advise: (frame: Blob) =>
      call<LookAdvice>(`${base}/capture/look`, {
        method: 'POST',
        body: frame,
        headers: { 'content-type': 'image/jpeg' },
        patience_ms: 5_000,
      }),

    /** Hands over the frames; the agent seals the template to the three parties and answers with the enrolment. */
    enrol(id: string, challenge: Challenge, frames: readonly Blob[]) {
      const form = new FormData();
      form.append('challenge', JSON.stringify(challenge));
      frames.forEach((frame, at) => form.append('frame', frame, `frame-${at + 1}.jpg`));
      return call<Enrolment>(`${base}/capture/enrolments/${encodeURIComponent(id)}`, { method: 'POST', body: form });
    },
  };
}

function page(startingAfter: string | undefined): string {
  return startingAfter === undefined ? '' : `?starting_after=${encodeURIComponent(startingAfter)}`;
}
