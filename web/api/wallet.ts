// The platform's wallet routes (a session cookie, and a header on every write that a foreign page cannot set) and the
// capture agent on the shopper's own machine.

import { call, newIdempotencyKey } from './client';
import type {
  Activity,
  Approvable,
  ApprovedPayment,
  Assertion,
  BiometricQuery,
  CaptureAgent,
  Challenge,
  Consent,
  ConsentText,
  DeletionReceipt,
  Dispute,
  DisputeStatistics,
  Enrolment,
  Helped,
  Helper,
  Limits,
  List,
  LookAdvice,
  Me,
  NewAccount,
  NewConsent,
  NewDispute,
  NewDuressPasscode,
  NewHelper,
  NewLimits,
  NewPasskey,
  NewSession,
  NewVouchers,
  Passkey,
  PasskeyRequest,
  Places,
  Terms,
  ServiceEntry,
  TopUp,
  Vouchers,
  WaitingPayment,
} from './types';

const writes = (key: string = newIdempotencyKey()) => ({ 'x-handsel-wallet': '1', 'idempotency-key': key });

export const wallet = {
  signUp: (account: NewAccount, key: string) => call<Me>('/v1/accounts', { method: 'POST', json: account, headers: writes(key) }),
  signIn: (session: NewSession) => call<Me>('/v1/sessions', { method: 'POST', json: session, headers: writes() }),
  signOut: () => call<void>('/v1/sessions/current', { method: 'DELETE', headers: writes() }),

  me: () => call<Me>('/v1/me'),
  pause: () => call<Me>('/v1/me/pause', { method: 'POST', headers: writes() }),
  resume: () => call<Me>('/v1/me/resume', { method: 'POST', headers: writes() }),
  freeze: (key: string) => call<Me>('/v1/me/freeze', { method: 'POST', headers: writes(key) }),
  thaw: (passcode: string, key: string) => call<Me>('/v1/me/thaw', { method: 'POST', json: { passcode }, headers: writes(key) }),
  close: (passcode: string, approval: Assertion | null, key: string) =>
    call<Me>('/v1/me/close', { method: 'POST', json: { passcode, approval }, headers: writes(key) }),

  signInRequest: () => call<PasskeyRequest>('/v1/passkeys/request', { method: 'POST', headers: writes() }),
  signInByPasskey: (assertion: Assertion) => call<Me>('/v1/sessions/passkey', { method: 'POST', json: { assertion }, headers: writes() }),
  bindRequest: () => call<PasskeyRequest>('/v1/me/passkeys/request', { method: 'POST', headers: writes() }),
  bind: (passkey: NewPasskey, key: string) => call<Passkey>('/v1/me/passkeys', { method: 'POST', json: passkey, headers: writes(key) }),
  removeDevice: (id: string, passcode: string, key: string) =>
    call<Me>(`/v1/me/passkeys/${encodeURIComponent(id)}/remove`, { method: 'POST', json: { passcode }, headers: writes(key) }),
  freezeApprovals: (key: string) => call<Me>('/v1/me/approvals/freeze', { method: 'POST', headers: writes(key) }),
  thawApprovals: (passcode: string, key: string) =>
    call<Me>('/v1/me/approvals/thaw', { method: 'POST', json: { passcode }, headers: writes(key) }),
  approvalRequest: (wanted: Approvable) =>
    call<PasskeyRequest>('/v1/me/approvals/request', { method: 'POST', json: wanted, headers: writes() }),
  waitingPayments: () => call<readonly WaitingPayment[]>('/v1/me/payments/waiting'),
  declinePayment: (id: string, key: string) =>
    call<ApprovedPayment>(`/v1/me/payments/${encodeURIComponent(id)}/decline`, { method: 'POST', headers: writes(key) }),
  approvePayment: (id: string, approval: Assertion, key: string) =>
    call<ApprovedPayment>(`/v1/me/payments/${encodeURIComponent(id)}/approve`, { method: 'POST', json: { approval }, headers: writes(key) }),

  /** Without `duress_passcode` it is taken away. */
  setDuressPasscode: (passcodes: NewDuressPasscode, key: string) =>
    call<void>('/v1/me/duress-passcode', { method: 'POST', json: passcodes, headers: writes(key) }),
  limits: () => call<Limits>('/v1/me/limits'),
  setLimits: (limits: NewLimits, approval: Assertion | null, key: string) =>
    call<Limits>('/v1/me/limits', { method: 'POST', json: { limits, approval }, headers: writes(key) }),
  places: () => call<Places>('/v1/me/places'),
  setCity: (city: string) => call<Places>('/v1/me/city', { method: 'PUT', json: { city }, headers: writes() }),
  unsetCity: () => call<Places>('/v1/me/city', { method: 'DELETE', headers: writes() }),
  setRegular: (store: string) => call<Places>(`/v1/me/regulars/${encodeURIComponent(store)}`, { method: 'PUT', headers: writes() }),
  unsetRegular: (store: string) => call<Places>(`/v1/me/regulars/${encodeURIComponent(store)}`, { method: 'DELETE', headers: writes() }),
  vouchers: () => call<Vouchers>('/v1/me/vouchers'),
  issueVouchers: (vouchers: NewVouchers, key: string) => call<Vouchers>('/v1/me/vouchers', { method: 'POST', json: vouchers, headers: writes(key) }),
  stopVouchers: () => call<Vouchers>('/v1/me/vouchers', { method: 'DELETE', headers: writes() }),
  undo: (payment: string, key: string) =>
    call<Activity>(`/v1/me/payments/${encodeURIComponent(payment)}/undo`, { method: 'POST', headers: writes(key) }),

  helpers: () => call<List<Helper>>('/v1/me/helpers'),
  askHelper: (helper: NewHelper, key: string) => call<Helper>('/v1/me/helpers', { method: 'POST', json: helper, headers: writes(key) }),
  acceptHelper: (id: string, key: string) => call<Helper>(helperPath(id, '/accept'), { method: 'POST', headers: writes(key) }),
  endHelper: (id: string, key: string) => call<void>(helperPath(id, '/end'), { method: 'POST', headers: writes(key) }),
  helped: (id: string) => call<Helped>(helperPath(id)),
  freezeHelped: (id: string, key: string) => call<Helped>(helperPath(id, '/freeze'), { method: 'POST', headers: writes(key) }),

  disputes: () => call<List<Dispute>>('/v1/disputes'),
  dispute: (id: string) => call<Dispute>(`/v1/disputes/${encodeURIComponent(id)}`),
  openDispute: (dispute: NewDispute, key: string) => call<Dispute>('/v1/disputes', { method: 'POST', json: dispute, headers: writes(key) }),
  withdrawDispute: (id: string, key: string) =>
    call<Dispute>(`/v1/disputes/${encodeURIComponent(id)}/withdraw`, { method: 'POST', headers: writes(key) }),
  appeal: (id: string, key: string) => call<Dispute>(`/v1/disputes/${encodeURIComponent(id)}/appeal`, { method: 'POST', headers: writes(key) }),
  statistics: () => call<DisputeStatistics>('/v1/statistics/disputes'),
  terms: (locale: 'zh' | 'en') => call<Terms>(`/v1/terms?locale=${locale}`),

  topUp: (amount_minor: number, key: string) =>
    call<TopUp>('/v1/top-ups', { method: 'POST', json: { amount_minor }, headers: writes(key) }),
  activity: (startingAfter?: string, limit?: number) => call<List<Activity>>(`/v1/activity${page(startingAfter, limit)}`),
  serviceLog: (startingAfter?: string, limit?: number) => call<List<ServiceEntry>>(`/v1/me/service-log${page(startingAfter, limit)}`),
  queries: (startingAfter?: string, limit?: number) => call<List<BiometricQuery>>(`/v1/queries${page(startingAfter, limit)}`),

  consentTexts: (locale: 'zh' | 'en') => call<List<ConsentText>>(`/v1/consent-texts?locale=${locale}`),
  consent: (consent: NewConsent) => call<Consent>('/v1/consents', { method: 'POST', json: consent, headers: writes() }),

  beginEnrolment: (approval: Assertion | null, key: string) =>
    call<Enrolment>('/v1/enrolments', { method: 'POST', json: { approval }, headers: writes(key) }),
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

const helperPath = (id: string, step = '') => `/v1/me/helpers/${encodeURIComponent(id)}${step}`;

function page(startingAfter: string | undefined, limit?: number): string {
  const wanted = new URLSearchParams();
  if (startingAfter !== undefined) wanted.set('starting_after', startingAfter);
  if (limit !== undefined) wanted.set('limit', String(limit));
  return wanted.size === 0 ? '' : `?${wanted}`;
}
