// The platform's routes for the merchant console: a session cookie, and a header on every write that a foreign page cannot set.

import { call, newIdempotencyKey } from './client';
import type {
  Activation,
  ApiKey,
  Assertion,
  Attestation,
  BankAccount,
  Delivery,
  Figures,
  HeadOffice,
  List,
  NewBankAccount,
  NewRefundRequest,
  NewShopStore,
  NewStaffMember,
  PasskeyRequest,
  Payment,
  PaymentStatus,
  Payout,
  RefundRequest,
  Role,
  Shop,
  ShopDispute,
  ShopStore,
  StaffMember,
  Timestamp,
  WebhookEndpoint,
} from './types';

export type Mode = 'live' | 'test';

export interface OrderFilter {
  status?: PaymentStatus | undefined;
  from?: Timestamp | undefined;
  until?: Timestamp | undefined;
}

const writes = (key: string = newIdempotencyKey()) => ({ 'x-handsel-shop': '1', 'idempotency-key': key });
const post = <T>(path: string, json: unknown, key?: string) => call<T>(path, { method: 'POST', json, headers: writes(key) });
const inMode = (mode: Mode) => ({ 'handsel-mode': mode });

export const shop = {
  askToJoin: (code: string) => post<PasskeyRequest>('/v1/shop/invitation', { code }),
  redeem: (code: string, attestation: Attestation) => post<Shop>('/v1/shop/session', { code, attestation }),
  askToSignIn: () => post<PasskeyRequest>('/v1/shop/session/request', {}),
  signIn: (assertion: Assertion) => post<Shop>('/v1/shop/session/passkey', { assertion }),
  signOut: () => call<void>('/v1/shop/session', { method: 'DELETE', headers: writes() }),
  read: () => call<Shop>('/v1/shop'),
  setHeadOffice: (said: HeadOffice, key: string) => post<HeadOffice>('/v1/shop/head-office', said, key),

  figures: (day?: Timestamp) => call<Figures>(`/v1/shop/figures${query({ day })}`),
  orders: (filter: OrderFilter, starting_after?: string, limit?: number) =>
    call<List<Payment>>(`/v1/payments${query({ ...filter, starting_after, limit })}`),
  order: (id: string) => call<Payment>(`/v1/payments/${encodeURIComponent(id)}?expand[]=dispute`),
  refund: (id: string, amount_minor: number, key: string) =>
    post<Payment>(`/v1/payments/${encodeURIComponent(id)}/refunds`, { amount_minor }, key),
  requestRefund: (request: NewRefundRequest, key: string) => post<RefundRequest>('/v1/shop/refund-requests', request, key),
  refundRequests: (starting_after?: string) => call<List<RefundRequest>>(`/v1/shop/refund-requests${query({ starting_after })}`),
  decide: (id: string, step: 'approve' | 'reject', key: string) =>
    post<RefundRequest>(`/v1/shop/refund-requests/${encodeURIComponent(id)}/${step}`, {}, key),
  disputes: (starting_after?: string) => call<List<ShopDispute>>(`/v1/shop/disputes${query({ starting_after })}`),
  state: (id: string, statement: string, key: string) =>
    post<ShopDispute>(`/v1/shop/disputes/${encodeURIComponent(id)}/statement`, { statement }, key),

  stores: () => call<List<ShopStore>>('/v1/shop/stores'),
  saveStore: (id: string | undefined, store: NewShopStore, key: string) =>
    post<ShopStore>(`/v1/shop/stores${id === undefined ? '' : `/${encodeURIComponent(id)}`}`, store, key),
  activations: (starting_after?: string) => call<List<Activation>>(`/v1/shop/activations${query({ starting_after })}`),
  activate: (store: string, key: string) => post<Activation>('/v1/shop/activations', { store }, key),
  stopTill: (id: string, key: string) => post<Activation>(`/v1/shop/activations/${encodeURIComponent(id)}/stop`, {}, key),

  staff: () => call<List<StaffMember>>('/v1/shop/staff'),
  invite: (member: NewStaffMember, key: string) => post<StaffMember>('/v1/shop/staff', member, key),
  inviteAgain: (id: string, key: string) => post<StaffMember>(`/v1/shop/staff/${encodeURIComponent(id)}/invitation`, {}, key),
  setRole: (id: string, role: Role, key: string) => post<StaffMember>(`/v1/shop/staff/${encodeURIComponent(id)}`, { role }, key),
  endStaff: (id: string) => call<void>(`/v1/shop/staff/${encodeURIComponent(id)}`, { method: 'DELETE', headers: writes() }),

  bankAccounts: () => call<List<BankAccount>>('/v1/bank-accounts'),
  requestBankAccount: (account: NewBankAccount, key: string) => post<BankAccount>('/v1/bank-accounts', account, key),
  withdrawBankAccount: (id: string, key: string) => post<BankAccount>(`/v1/bank-accounts/${encodeURIComponent(id)}/withdraw`, {}, key),
  payouts: (starting_after?: string) => call<List<Payout>>(`/v1/payouts${query({ starting_after })}`),
};

/** Keys and webhooks of one mode. */
export const connections = (mode: Mode) => {
  const read = <T>(path: string) => call<T>(path, { headers: inMode(mode) });
  const write = <T>(path: string, json: unknown, key: string) => call<T>(path, { method: 'POST', json, headers: { ...writes(key), ...inMode(mode) } });
  const remove = <T>(path: string) => call<T>(path, { method: 'DELETE', headers: { ...writes(), ...inMode(mode) } });
  const endpoint = (id: string) => `/v1/webhook-endpoints/${encodeURIComponent(id)}`;
  return {
    keys: () => read<List<ApiKey>>('/v1/api-keys'),
    makeKey: (name: string, key: string) => write<ApiKey>('/v1/api-keys', { name }, key),
    revokeKey: (id: string) => remove<ApiKey>(`/v1/api-keys/${encodeURIComponent(id)}`),
    endpoints: () => read<List<WebhookEndpoint>>('/v1/webhook-endpoints'),
    makeEndpoint: (url: string, key: string) => write<WebhookEndpoint>('/v1/webhook-endpoints', { url }, key),
    deleteEndpoint: (id: string) => remove<void>(endpoint(id)),
    ping: (id: string, key: string) => write<Delivery>(`${endpoint(id)}/ping`, {}, key),
    deliveries: (id: string, starting_after?: string) => read<List<Delivery>>(`${endpoint(id)}/deliveries${query({ starting_after, 'expand[]': 'event' })}`),
    replay: (id: string, key: string) => write<Delivery>(`/v1/deliveries/${encodeURIComponent(id)}/replay`, {}, key),
  };
};

function query(wanted: Record<string, string | number | undefined>): string {
  const given = Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
