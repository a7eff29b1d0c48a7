// The JSON of the HTTP API, written by hand after crates/wire/src/api.rs. `api/types.test.ts` compares the names of all
// fields and variants with that file, so a change there fails here.
// Amounts are integer minor units, times are milliseconds since the epoch (UTC).

import type { Code } from './problem';

export type Currency = 'CNY';
export type Timestamp = number;

// ---- payments (terminal) ----

export interface NewPayment {
  amount_minor: number;
  currency: Currency;
  merchant_reference?: string;
  terminal?: string;
  capture: Capture;
  metadata?: Record<string, string>;
}

export type Capture = 'automatic' | 'manual';

export type PaymentStatus =
  | 'created'
  | 'challenged'
  | 'being_checked'
  | 'awaiting_passcode'
  | 'authorised'
  | 'paid'
  | 'refused'
  | 'expired'
  | 'cancelled'
  | 'voided'
  | 'undone';

export interface Payment {
  id: string;
  status: PaymentStatus;
  amount_minor: number;
  currency: Currency;
  merchant: string;
  merchant_name: string;
  store: string;
  store_name: string;
  terminal: string;
  merchant_reference?: string;
  metadata?: Record<string, string>;
  created_at: Timestamp;
  expires_at: Timestamp;
  capture: Capture;
  authorised_at?: Timestamp;
  paid_at?: Timestamp;
  captured_minor: number;
  refusal?: Code;
  attempts_left?: number;
  refunded_minor: number;
  refunds: Refund[];
  dispute?: string | object;
  rules_version: string;
  terms_sha256?: string;
  challenge?: Challenge;
}

export interface NewChallenge {
  phone_suffix?: string;
}

export interface Challenge {
  nonce: string;
  issued_at: Timestamp;
  expires_at: Timestamp;
  partition?: string;
}

export interface Passcode {
  passcode: string;
}

export interface NewCapture {
  amount_minor?: number;
}

export interface NewRefund {
  amount_minor?: number;
}

export interface Refund {
  id: string;
  amount_minor: number;
  refunded_at: Timestamp;
}

export interface List<T> {
  data: T[];
  has_more: boolean;
}

export interface Terminal {
  id: string;
  merchant: string;
  merchant_name: string;
  store: string;
  store_name: string;
}

// ---- wallet ----

export type IdentityClass = 'I' | 'II' | 'III';

export interface NewAccount {
  name: string;
  phone: string;
  passcode: string;
}

export interface NewDuressPasscode {
  passcode: string;
  duress_passcode?: string;
}

export interface NewSession {
  phone: string;
  passcode: string;
}

export interface Me {
  id: string;
  name: string;
  phone_masked: string;
  identity_class: IdentityClass;
  class_remaining_minor: number;
  look_only_max_minor: number;
  balance_minor: number;
  currency: Currency;
  paused: boolean;
  frozen: boolean;
  closed: boolean;
  undo_window_s: number;
  undo_payment_max_minor: number;
  consents: Consent[];
  enrolment?: Enrolment;
}

export type ConsentPurpose = 'payment' | 'membership' | 'improvement' | 'marketing';

export interface ConsentText {
  purpose: ConsentPurpose;
  version: string;
  locale: string;
  text: string;
  text_sha256: string;
}

export interface NewConsent {
  purpose: ConsentPurpose;
  text_sha256: string;
  granted: boolean;
}

export interface Consent {
  id: string;
  purpose: ConsentPurpose;
  version: string;
  text_sha256: string;
  granted: boolean;
  decided_at: Timestamp;
}

export interface Enrolment {
  id: string;
  status: EnrolmentStatus;
  created_at: Timestamp;
  enrolled_at?: Timestamp;
  challenge?: Challenge;
  deletions: DeletionConfirmation[];
}

export type EnrolmentStatus = 'waiting_for_capture' | 'storing' | 'enrolled' | 'deleting' | 'deleted';

/** From crates/wire/src/party.rs. */
export interface DeletionConfirmation {
  party: number;
  record: string;
  sequence: number;
  destroyed_at: Timestamp;
  signature: string;
}

/** From crates/wire/src/receipt.rs. */
export interface DeletionReceipt {
  format: string;
  confirmations: DeletionConfirmation[];
  public_keys: string[];
}

export interface NewTopUp {
  amount_minor: number;
}

export interface TopUp {
  id: string;
  amount_minor: number;
  topped_up_at: Timestamp;
  balance_minor: number;
}

export interface Activity {
  kind: ActivityKind;
  id: string;
  payment?: string;
  amount_minor: number;
  counterparty: string;
  store_name?: string;
  at: Timestamp;
  rules_version?: string;
  verified_by?: string;
  terms_sha256?: string;
}

export type ActivityKind = 'payment' | 'refund' | 'top_up' | 'compensation' | 'compensation_taken_back';

export interface BiometricQuery {
  id: string;
  kind: QueryKind;
  at: Timestamp;
  asked_by: string;
  store_name?: string;
  payment?: string;
  amount_minor?: number;
  outcome: string;
  consent_version?: string;
  rules_version?: string;
}

export type QueryKind = 'enrolment' | 'identification' | 'deletion';

// ---- the till's agent, on loopback ----

export interface LookAdvice {
  good: boolean;
  reason?: Code;
  liveness?: number;
}

// ---- only between the pages and the servers that serve them ----

/** `GET /till/config`, from the till's agent: the terminal, and how it stands. */
export interface TillConfig extends Terminal {
  /** The language a till starts in; the page's own choice without. */
  locale?: 'zh' | 'en';
  /** Whether the agent reached the platform just now; absent means yes. */
  platform_reachable?: boolean;
}

/** `GET /v1/capture-agent`: where the wallet finds the capture agent on this machine. */
export interface CaptureAgent {
  url: string;
}
