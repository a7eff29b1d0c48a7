// The till's agent. The page talks to its own origin only; the agent adds the terminal's credentials.

import { call } from './client';
import type { List, LookAdvice, NewChallenge, NewPayment, NewRefund, Payment, TakenVoucher, TillConfig, VoucherKit } from './types';

const at = (id: string, rest = '') => `/till/payments/${encodeURIComponent(id)}${rest}`;

export const till = {
  config: () => call<TillConfig>('/till/config', { patience_ms: 5_000 }),

  /** Throws unless the platform answers; the agent waits almost a second for it. */
  up: () => call<void>('/till/up', { patience_ms: 1_400 }),

  voucherKit: () => call<VoucherKit>('/till/vouchers', { patience_ms: 5_000 }),

  handIn: (voucher: TakenVoucher, key: string) =>
    call<Payment>('/till/vouchers', { method: 'POST', json: voucher, headers: { 'idempotency-key': key } }),

  /** One JPEG; the agent answers and keeps nothing. */
  advise: (frame: Blob) =>
    call<LookAdvice>('/till/look', { method: 'POST', body: frame, headers: { 'content-type': 'image/jpeg' }, patience_ms: 5_000 }),

  create: (payment: NewPayment, key: string) =>
    call<Payment>('/till/payments', { method: 'POST', json: payment, headers: { 'idempotency-key': key } }),

  recent: (limit = 20) => call<List<Payment>>(`/till/payments?limit=${limit}`),

  read: (id: string) => call<Payment>(at(id), { patience_ms: 5_000 }),

  challenge: (id: string, challenge: NewChallenge, key: string) =>
    call<Payment>(at(id, '/challenge'), { method: 'POST', json: challenge, headers: { 'idempotency-key': key } }),

  /** Three to five JPEGs of one burst. */
  look(id: string, frames: readonly Blob[], key: string) {
    const form = new FormData();
    frames.forEach((frame, at) => form.append('frame', frame, `frame-${at + 1}.jpg`));
    return call<Payment>(at(id, '/look'), { method: 'POST', body: form, headers: { 'idempotency-key': key } });
  },

  passcode: (id: string, passcode: string, key: string) =>
    call<Payment>(at(id, '/passcode'), { method: 'POST', json: { passcode }, headers: { 'idempotency-key': key } }),

  cancel: (id: string, key: string) =>
    call<Payment>(at(id, '/cancel'), { method: 'POST', headers: { 'idempotency-key': key } }),

  refund: (id: string, refund: NewRefund, key: string) =>
    call<Payment>(at(id, '/refunds'), { method: 'POST', json: refund, headers: { 'idempotency-key': key } }),
};
