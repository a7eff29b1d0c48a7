// Made from openapi/api.json by api/generate.mjs (`npm run types`); the build fails when it is stale.

/** RFC 9457 */
export interface Problem {
  type: string;
  doc_url?: string;
  title: string;
  status: number;
  code: Code;
  decline_code?: Code;
  remedy: string;
  field?: string;
  attempts_left?: number;
  request_id?: string;
}

export interface NewPayment {
  amount_minor: number;
  currency: 'CNY';
  merchant_reference?: string | null;
  terminal?: string | null;
  capture?: Capture;
  metadata?: Readonly<Record<string, string>> | null;
}

export const PaymentStatus = [
  'created',
  'challenged',
  'being_checked',
  'awaiting_passcode',
  'authorised',
  'paid',
  'refused',
  'expired',
  'cancelled',
  'voided',
  'undone',
] as const;
export type PaymentStatus = (typeof PaymentStatus)[number];

export interface Payment {
  id: string;
  status: PaymentStatus;
  amount_minor: number;
  currency: 'CNY';
  merchant: string;
  merchant_name: string;
  store: string;
  store_name: string;
  terminal: string;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  refunded_minor: number;
  refunds: readonly Refund[];
  rules_version: string;
  merchant_reference?: string;
  metadata?: Readonly<Record<string, string>>;
  dispute?: string | PayeeDispute;
  /** Milliseconds since 1970-01-01 UTC. */
  paid_at?: number;
  refusal?: Code;
  attempts_left?: number;
  challenge?: Challenge;
  capture: Capture;
  /** Milliseconds since 1970-01-01 UTC. */
  authorised_at?: number;
  captured_minor: number;
  terms_sha256?: string;
}

export interface PaymentList {
  data: readonly Payment[];
  has_more: boolean;
}

export interface NewChallenge {
  phone_suffix?: string | null;
}

export interface Challenge {
  nonce: string;
  /** Milliseconds since 1970-01-01 UTC. */
  issued_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  partition?: string;
}

export interface Passcode {
  passcode: string;
}

export interface NewRefund {
  amount_minor?: number | null;
}

/** Whether the money moves when the payer is known, or is held until it is captured. */
export const Capture = [
  'automatic',
  'manual',
] as const;
export type Capture = (typeof Capture)[number];

export interface NewCapture {
  amount_minor?: number | null;
}

export interface Refund {
  id: string;
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  refunded_at: number;
}

export interface Terminal {
  id: string;
  merchant: string;
  merchant_name: string;
  store: string;
  store_name: string;
}

export const IdentityClass = [
  'I',
  'II',
  'III',
] as const;
export type IdentityClass = (typeof IdentityClass)[number];

export interface NewAccount {
  name: string;
  phone: string;
  passcode: string;
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
  currency: 'CNY';
  paused: boolean;
  consents: readonly Consent[];
  enrolment?: Enrolment;
  frozen: boolean;
  closed: boolean;
  undo_window_s: number;
  undo_payment_max_minor: number;
}

export const ConsentPurpose = [
  'payment',
  'membership',
  'improvement',
  'marketing',
] as const;
export type ConsentPurpose = (typeof ConsentPurpose)[number];

export interface ConsentText {
  purpose: ConsentPurpose;
  version: string;
  locale: 'zh' | 'en';
  text: string;
  text_sha256: string;
}

export interface ConsentTextList {
  data: readonly ConsentText[];
  has_more: boolean;
}

export interface ConsentList {
  data: readonly Consent[];
  has_more: boolean;
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
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at: number;
}

export const EnrolmentStatus = [
  'waiting_for_capture',
  'storing',
  'enrolled',
  'deleting',
  'deleted',
] as const;
export type EnrolmentStatus = (typeof EnrolmentStatus)[number];

export interface DeletionConfirmation {
  party: number;
  record: string;
  sequence: number;
  /** Milliseconds since 1970-01-01 UTC. */
  destroyed_at: number;
  signature: string;
}

export interface Enrolment {
  id: string;
  status: EnrolmentStatus;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  deletions: readonly DeletionConfirmation[];
  /** Milliseconds since 1970-01-01 UTC. */
  enrolled_at?: number;
  challenge?: Challenge;
}

export interface DeletionReceipt {
  format: 'handsel-deletion-receipt/1';
  /** Three for each record, one of each party. */
  confirmations: readonly DeletionConfirmation[];
  /** The parties' Ed25519 keys, in their order. */
  public_keys: readonly string[];
}

export interface NewTopUp {
  amount_minor: number;
}

export interface TopUp {
  id: string;
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  topped_up_at: number;
  balance_minor: number;
}

export interface Activity {
  kind: 'payment' | 'refund' | 'top_up' | 'compensation' | 'compensation_taken_back';
  id: string;
  amount_minor: number;
  counterparty: string;
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  payment?: string;
  store_name?: string;
  rules_version?: string;
  verified_by?: 'look' | 'look_and_passcode';
  terms_sha256?: string;
}

export interface ActivityList {
  data: readonly Activity[];
  has_more: boolean;
}

export interface BiometricQuery {
  id: string;
  kind: 'enrolment' | 'identification' | 'deletion';
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  asked_by: string;
  outcome: string;
  store_name?: string;
  amount_minor?: number;
  payment?: string;
  consent_version?: string;
  rules_version?: string;
}

export interface BiometricQueryList {
  data: readonly BiometricQuery[];
  has_more: boolean;
}

export interface NewDuressPasscode {
  passcode: string;
  duress_passcode?: string | null;
}

export interface PasskeyRequest {
  /** Options of Web Authentication level 3, for PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON. */
  public_key: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
}

/** What a new device answered; base64url without padding. */
export interface Attestation {
  credential_id: string;
  client_data_json: string;
  attestation_object: string;
  transports?: readonly string[];
}

/** What a bound device answered; base64url without padding. */
export interface Assertion {
  credential_id: string;
  client_data_json: string;
  authenticator_data: string;
  signature: string;
  user_handle?: string | null;
}

export interface PasskeySignIn {
  assertion: Assertion;
}

export interface NewLimits {
  payment_max_minor?: number | null;
  day_max_minor?: number | null;
  night_max_minor?: number | null;
}

export interface StandingLimits {
  payment_max_minor?: number;
  day_max_minor?: number;
  night_max_minor?: number;
}

export interface Limits {
  standing: StandingLimits;
  /** Milliseconds since 1970-01-01 UTC. */
  next_from?: number;
  next?: StandingLimits;
}

export const DisputeCause = [
  'not_there',
  'lookalike',
  'wrong_basket',
  'forced',
  'other',
] as const;
export type DisputeCause = (typeof DisputeCause)[number];

export const DisputeStatus = [
  'open',
  'upheld',
  'rejected',
  'withdrawn',
] as const;
export type DisputeStatus = (typeof DisputeStatus)[number];

export interface NewDispute {
  payment: string;
  cause: DisputeCause;
  freeze: boolean;
}

export interface Evidence {
  payee_statement?: string;
  merchant_name: string;
  store_name: string;
  terminal: string;
  /** Milliseconds since 1970-01-01 UTC. */
  challenge_issued_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  paid_at?: number;
  verified_by?: 'look' | 'look_and_passcode';
  rules_version: string;
  terms_sha256?: string;
  ledger_sequence: number;
  ledger_hash: string;
}

export interface Dispute {
  id: string;
  payment: string;
  cause: DisputeCause;
  status: DisputeStatus;
  amount_minor: number;
  credited_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  credit_due_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  appealed_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  reason?: string;
  rules_version: string;
  evidence: Evidence;
}

export interface PayeeDispute {
  id: string;
  status: DisputeStatus;
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
}

export interface DisputeList {
  data: readonly Dispute[];
  has_more: boolean;
}

export interface DisputeCount {
  cause: DisputeCause;
  status: DisputeStatus;
  count: number;
  amount_minor: number;
}

export interface DisputeStatistics {
  payments: number;
  disputes: readonly DisputeCount[];
  compensated_minor: number;
}

export interface Terms {
  version: string;
  locale: 'zh' | 'en';
  text: string;
  terms_sha256: string;
}

export interface ProbeContext {
  purpose: 'enrol' | 'pay';
  reference: string;
  payee: string;
  amount_minor: number;
  currency: string;
  nonce: string;
  /** Milliseconds since 1970-01-01 UTC. */
  issued_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  terminal: string;
  counter: number;
  templates: number;
  dimensions: number;
  partition?: string | null;
}

export interface SealedShare {
  encapsulated_key: string;
  ciphertext: string;
}

/** Sealed to the three parties; the platform can open none of it. */
export interface SealedProbe {
  context: ProbeContext;
  sealed: readonly SealedShare[];
  signature: string;
}

export const Mode = [
  'test',
  'live',
] as const;
export type Mode = (typeof Mode)[number];

export interface NewApiKey {
  name: string;
}

export interface Rotation {
  /** How long the old one still holds, in seconds; a day without. */
  overlap_s?: number | null;
}

export interface ApiKey {
  id: string;
  merchant: string;
  mode: Mode;
  name: string;
  /** The last four characters. */
  hint: string;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  last_used_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at?: number;
  /** In the first answer to the request that made it, and never again. */
  secret?: string;
}

export interface ApiKeyList {
  data: readonly ApiKey[];
  has_more: boolean;
}

export interface NewBankAccount {
  holder_name: string;
  bank_code: string;
  account_number: string;
}

export const BankAccountStatus = [
  'waiting',
  'approved',
  'rejected',
  'withdrawn',
] as const;
export type BankAccountStatus = (typeof BankAccountStatus)[number];

export interface BankAccount {
  id: string;
  holder_name: string;
  bank_code: string;
  account_last4: string;
  status: BankAccountStatus;
  /** Milliseconds since 1970-01-01 UTC. */
  requested_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  effective_at?: number;
  reason?: string;
}

export interface BankAccountList {
  data: readonly BankAccount[];
  has_more: boolean;
}

export const PayoutStatus = [
  'held',
  'in_transit',
  'arrived',
  'returned',
  'cancelled',
] as const;
export type PayoutStatus = (typeof PayoutStatus)[number];

export interface Payout {
  id: string;
  bank_account: string;
  amount_minor: number;
  currency: 'CNY';
  status: PayoutStatus;
  hold_reason?: 'round_sums' | 'night' | 'one_payer' | 'returned_before';
  /** Milliseconds since 1970-01-01 UTC. */
  settles_until: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  sent_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  ended_at?: number;
}

export interface PayoutList {
  data: readonly Payout[];
  has_more: boolean;
}

export const EventType = [
  'payment.authorised',
  'payment.paid',
  'payment.refused',
  'payment.expired',
  'payment.cancelled',
  'payment.voided',
  'payment.undone',
  'payment.refunded',
  'bank_account.requested',
  'bank_account.approved',
  'bank_account.rejected',
  'bank_account.withdrawn',
  'payout.held',
  'payout.sent',
  'payout.arrived',
  'payout.returned',
  'payout.cancelled',
  'webhook_endpoint.ping',
] as const;
export type EventType = (typeof EventType)[number];

export interface EventData {
  payment?: Payment;
  bank_account?: BankAccount;
  payout?: Payout;
}

/** The body of a webhook. */
export interface Event {
  id: string;
  type: EventType;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  data: EventData;
}

export interface EventList {
  data: readonly Event[];
  has_more: boolean;
}

export interface NewWebhookEndpoint {
  /** An absolute https URL of a public host. */
  url: string;
  /** Everything without. */
  event_types?: readonly EventType[] | null;
}

export interface WebhookEndpointChange {
  /** An absolute https URL of a public host. */
  url?: string | null;
  event_types?: readonly EventType[] | null;
  enabled?: boolean | null;
}

export interface WebhookEndpoint {
  id: string;
  url: string;
  event_types: readonly EventType[];
  enabled: boolean;
  disabled_because?: 'gone';
  key_generation: number;
  /** Milliseconds since 1970-01-01 UTC. */
  previous_keys_until?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
}

export interface WebhookEndpointList {
  data: readonly WebhookEndpoint[];
  has_more: boolean;
}

export interface WebhookKey {
  generation: number;
  secret: string;
  public_key: string;
  /** Milliseconds since 1970-01-01 UTC. */
  until?: number;
}

export interface WebhookKeys {
  keys: readonly WebhookKey[];
}

export const DeliveryStatus = [
  'pending',
  'delivered',
  'dead',
] as const;
export type DeliveryStatus = (typeof DeliveryStatus)[number];

export interface DeliveryAttempt {
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  took_ms: number;
  status?: number;
  failure?: 'name_unknown' | 'address_forbidden' | 'not_connected' | 'tls' | 'timeout' | 'malformed';
}

export interface Delivery {
  id: string;
  endpoint: string;
  event: string | Event;
  status: DeliveryStatus;
  attempts: number;
  /** Milliseconds since 1970-01-01 UTC. */
  next_attempt_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  log: readonly DeliveryAttempt[];
}

export interface DeliveryList {
  data: readonly Delivery[];
  has_more: boolean;
}

export interface SimulatedLook {
  shopper: 'funded' | 'penniless' | 'stranger' | 'twin';
}

/** Milliseconds since 1970-01-01 UTC. */
export type Time = number;

export const Role = [
  'owner',
  'manager',
  'cashier',
  'accountant',
] as const;
export type Role = (typeof Role)[number];

export const Action = [
  'read_payments',
  'refund',
  'approve_refunds',
  'read_figures',
  'read_disputes',
  'answer_disputes',
  'read_tills',
  'manage_tills',
  'read_payouts',
  'change_bank_account',
  'manage_keys',
  'manage_staff',
  'manage_shop',
] as const;
export type Action = (typeof Action)[number];

export interface ShownInvitation {
  code: string;
}

export interface RedeemedInvitation {
  code: string;
  attestation: Attestation;
}

export interface Shop {
  me: StaffMember;
  may: readonly Action[];
  merchant: string;
  merchant_name: string;
  head_office?: HeadOffice;
  missing: readonly Element[];
}

export const Element = [
  'acquirer_code',
  'merchant_code',
  'credit_code',
  'settlement_account',
  'location',
] as const;
export type Element = (typeof Element)[number];

export interface HeadOffice {
  legal_name: string;
  /** Unified social credit code; the last character is the check character (GB 32100-2015). */
  credit_code: string;
  refund_payment_max_minor?: number | null;
  refund_day_max_minor?: number | null;
}

export interface NewStaffMember {
  name: string;
  role: Role;
}

export interface StaffChange {
  role: Role;
}

export interface StaffMember {
  id: string;
  name: string;
  role: Role;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  joined_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  invited_until?: number;
  invitation?: string;
}

export interface StaffList {
  data: readonly StaffMember[];
  has_more: boolean;
}

export interface Place {
  city: string;
  address: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
}

export interface NewShopStore {
  name: string;
  place: Place;
}

export interface ShopStore {
  id: string;
  name: string;
  place?: Place;
  tills: readonly string[];
}

export interface ShopStoreList {
  data: readonly ShopStore[];
  has_more: boolean;
}

export interface NewActivation {
  store: string;
}

export const ActivationStatus = [
  'waiting',
  'attested',
  'active',
  'stopped',
] as const;
export type ActivationStatus = (typeof ActivationStatus)[number];

export interface Bound {
  serial: string;
  acquirer_code: string;
  merchant: string;
  credit_code: string;
  bank_account: string;
  address: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
}

export interface Activation {
  id: string;
  store: string;
  store_name: string;
  status: ActivationStatus;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  code?: string;
  terminal?: string;
  bound?: Bound;
  /** Milliseconds since 1970-01-01 UTC. */
  attested_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  active_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  stopped_at?: number;
}

export interface ActivationList {
  data: readonly Activation[];
  has_more: boolean;
}

export interface RedeemedActivation {
  code: string;
  serial: string;
  public_key: string;
  token_sha256: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
}

export interface Attested {
  terminal: string;
  merchant_name: string;
  store_name: string;
  nonce: string;
}

export interface TestedActivation {
  token: string;
  signature: string;
}

export interface NewRefundRequest {
  payment: string;
  amount_minor: number;
  reason: string;
}

export interface RefundRequest {
  id: string;
  payment: string;
  amount_minor: number;
  reason: string;
  status: 'waiting' | 'approved' | 'rejected';
  asked_by: string;
  asked_by_name: string;
  /** Milliseconds since 1970-01-01 UTC. */
  asked_at: number;
  decided_by_name?: string;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
}

export interface RefundRequestList {
  data: readonly RefundRequest[];
  has_more: boolean;
}

export interface ShopDispute {
  id: string;
  payment: string;
  status: DisputeStatus;
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  statement?: string;
  /** Milliseconds since 1970-01-01 UTC. */
  stated_at?: number;
}

export interface ShopDisputeList {
  data: readonly ShopDispute[];
  has_more: boolean;
}

export interface NewStatement {
  statement: string;
}

export interface HourFigures {
  hour: number;
  paid: number;
  failed: number;
  paid_minor: number;
}

export interface SecondsFigures {
  from_s: number;
  below_s?: number;
  paid: number;
}

export interface RefusalFigures {
  code: Code;
  count: number;
}

export interface Figures {
  /** Milliseconds since 1970-01-01 UTC. */
  from: number;
  /** Milliseconds since 1970-01-01 UTC. */
  until: number;
  begun: number;
  paid: number;
  paid_minor: number;
  refunded_minor: number;
  hours: readonly HourFigures[];
  seconds: readonly SecondsFigures[];
  refusals: readonly RefusalFigures[];
}

export interface CaptureAgent {
  url: string;
}

/** OpenAPI 3.1. */
export interface ApiDescription {
}

export interface Health {
  status: 'up';
}

export interface PartyReadiness {
  party: number;
  connected: boolean;
  peers_connected: boolean;
  gallery_sequence: number | null;
  records: number | null;
  in_step: boolean;
  diverged: boolean;
}

export interface Readiness {
  ready: boolean;
  gallery_sequence: number;
  galleries_equal: boolean;
  parties: readonly PartyReadiness[];
}

export interface Books {
  balanced: boolean;
}

export interface Crowd {
  probe: SealedProbe;
  count: number;
}

export interface CrowdQueued {
  sequence: number;
  count: number;
}

/** See docs/errors.md. */
export const Code = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'media_type_unsupported',
  'body_too_large',
  'cursor_unknown',
  'api_version_unknown',
  'rate_limited',
  'too_many',
  'terminal_required',
  'url_forbidden',
  'test_mode_only',
  'idempotency_key_missing',
  'idempotency_key_reused',
  'request_in_flight',
  'state_conflict',
  'phone_suffix_required',
  'challenge_expired',
  'probe_replayed',
  'probe_mismatch',
  'probe_invalid',
  'not_recognised',
  'ambiguous',
  'budget_exhausted',
  'parties_unavailable',
  'identification_interrupted',
  'identification_unsound',
  'passcode_wrong',
  'passcode_locked',
  'insufficient_balance',
  'limit_exceeded',
  'account_paused',
  'account_closed',
  'account_frozen',
  'balance_remains',
  'payment_expired',
  'payment_cancelled',
  'consent_missing',
  'consent_outdated',
  'enrolment_exists',
  'phone_taken',
  'passcode_weak',
  'sign_in_failed',
  'passkey_invalid',
  'passkey_origin',
  'passkey_unknown',
  'passkey_taken',
  'approval_required',
  'approval_used',
  'approval_expired',
  'approval_mismatch',
  'device_missing',
  'refund_exceeds_payment',
  'refund_window_over',
  'refund_needs_approval',
  'approval_by_asker',
  'code_invalid',
  'onboarding_incomplete',
  'serial_taken',
  'terminal_elsewhere',
  'last_owner',
  'refund_unfunded',
  'capture_exceeds_authorisation',
  'undo_over',
  'payment_disputed',
  'dispute_exists',
  'dispute_window_over',
  'storage_full',
  'ledger_halted',
  'picture_unreadable',
  'picture_too_large',
  'too_few_frames',
  'no_face',
  'several_faces',
  'face_too_small',
  'face_off_centre',
  'blurred',
  'too_dark',
  'too_bright',
  'eyes_not_visible',
  'not_live',
  'faces_differ',
  'platform_unreachable',
  'internal',
] as const;
export type Code = (typeof Code)[number];

/** Every operation. */
export const operations = [
  'GET /v1/terminal',
  'POST /v1/payments',
  'GET /v1/payments',
  'GET /v1/payments/{id}',
  'POST /v1/payments/{id}/challenge',
  'POST /v1/payments/{id}/probe',
  'POST /v1/payments/{id}/passcode',
  'POST /v1/payments/{id}/cancel',
  'POST /v1/payments/{id}/capture',
  'POST /v1/payments/{id}/void',
  'POST /v1/payments/{id}/refunds',
  'GET /v1/payments/{id}/events',
  'POST /v1/enrolments/{id}/template',
  'GET /v1/api-keys',
  'POST /v1/api-keys',
  'POST /v1/api-keys/{id}/rotate',
  'DELETE /v1/api-keys/{id}',
  'GET /v1/events',
  'GET /v1/events/{id}',
  'GET /v1/webhook-endpoints',
  'POST /v1/webhook-endpoints',
  'GET /v1/webhook-endpoints/{id}',
  'POST /v1/webhook-endpoints/{id}',
  'DELETE /v1/webhook-endpoints/{id}',
  'GET /v1/webhook-endpoints/{id}/keys',
  'POST /v1/webhook-endpoints/{id}/rotate',
  'POST /v1/webhook-endpoints/{id}/ping',
  'GET /v1/webhook-endpoints/{id}/deliveries',
  'GET /v1/deliveries/{id}',
  'POST /v1/deliveries/{id}/replay',
  'GET /v1/bank-accounts',
  'POST /v1/bank-accounts',
  'GET /v1/bank-accounts/{id}',
  'POST /v1/bank-accounts/{id}/withdraw',
  'GET /v1/payouts',
  'GET /v1/payouts/{id}',
  'POST /v1/test/payments/{id}/look',
  'POST /v1/accounts',
  'POST /v1/sessions',
  'DELETE /v1/sessions/current',
  'GET /v1/me',
  'POST /v1/me/pause',
  'POST /v1/me/resume',
  'GET /v1/me/limits',
  'POST /v1/me/limits',
  'POST /v1/me/freeze',
  'POST /v1/me/thaw',
  'POST /v1/me/close',
  'POST /v1/me/duress-passcode',
  'POST /v1/me/payments/{id}/undo',
  'POST /v1/disputes',
  'GET /v1/disputes',
  'GET /v1/disputes/{id}',
  'POST /v1/disputes/{id}/appeal',
  'POST /v1/disputes/{id}/withdraw',
  'GET /v1/statistics/disputes',
  'GET /v1/terms',
  'GET /v1/consent-texts',
  'GET /v1/consent-texts/{id}',
  'GET /v1/consents',
  'POST /v1/consents',
  'POST /v1/enrolments',
  'GET /v1/enrolments/{id}',
  'DELETE /v1/enrolments/{id}',
  'GET /v1/enrolments/{id}/receipt',
  'POST /v1/top-ups',
  'GET /v1/activity',
  'GET /v1/queries',
  'GET /v1/capture-agent',
  'GET /healthz',
  'GET /readyz',
  'GET /v1/books',
  'GET /openapi.json',
  'POST /v1/shop/invitation',
  'POST /v1/shop/session',
  'DELETE /v1/shop/session',
  'POST /v1/shop/session/request',
  'POST /v1/shop/session/passkey',
  'GET /v1/shop',
  'POST /v1/shop/head-office',
  'GET /v1/shop/stores',
  'POST /v1/shop/stores',
  'POST /v1/shop/stores/{id}',
  'GET /v1/shop/figures',
  'GET /v1/shop/staff',
  'POST /v1/shop/staff',
  'POST /v1/shop/staff/{id}/invitation',
  'POST /v1/shop/staff/{id}',
  'DELETE /v1/shop/staff/{id}',
  'GET /v1/shop/activations',
  'POST /v1/shop/activations',
  'POST /v1/shop/activations/{id}/stop',
  'POST /v1/activations/redeem',
  'POST /v1/activations/test',
  'GET /v1/shop/refund-requests',
  'POST /v1/shop/refund-requests',
  'POST /v1/shop/refund-requests/{id}/approve',
  'POST /v1/shop/refund-requests/{id}/reject',
  'GET /v1/shop/disputes',
  'POST /v1/shop/disputes/{id}/statement',
  'POST /v1/demo/crowd',
] as const;
