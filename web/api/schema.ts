// Made from openapi/api.json by api/generate.mjs (`npm run types`); the build fails when it is stale.

export const AccountState = [
  'active',
  'paused',
  'frozen',
  'closed',
] as const;
export type AccountState = (typeof AccountState)[number];

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

export interface Activation {
  /** Milliseconds since 1970-01-01 UTC. */
  active_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  attested_at?: number;
  bound?: Bound;
  code?: string;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  id: string;
  status: ActivationStatus;
  /** Milliseconds since 1970-01-01 UTC. */
  stopped_at?: number;
  store: string;
  store_name: string;
  terminal?: string;
}

export interface ActivationList {
  data: readonly Activation[];
  has_more: boolean;
}

export const ActivationStatus = [
  'waiting',
  'attested',
  'active',
  'stopped',
] as const;
export type ActivationStatus = (typeof ActivationStatus)[number];

export interface Activity {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  counterparty: string;
  id: string;
  kind: 'payment' | 'refund' | 'top_up' | 'compensation' | 'compensation_taken_back';
  payment?: string;
  rules_version?: string;
  store_name?: string;
  terms_sha256?: string;
  verified_by?: 'look' | 'look_and_passcode' | 'look_and_phone' | 'voucher';
}

export interface ActivityList {
  data: readonly Activity[];
  has_more: boolean;
}

/** OpenAPI 3.1. */
export interface ApiDescription {
}

export interface ApiKey {
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at?: number;
  /** The last four characters. */
  hint: string;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  last_used_at?: number;
  merchant: string;
  mode: Mode;
  name: string;
  /** In the first answer to the request that made it, and never again. */
  secret?: string;
}

export interface ApiKeyList {
  data: readonly ApiKey[];
  has_more: boolean;
}

export type Approvable = {
  for: 'enrolment';
} | {
  challenge: string;
  for: 'device';
} | {
  for: 'limits';
  limits: NewLimits;
} | {
  for: 'close';
} | {
  for: 'vouchers';
  store: string;
} | {
  for: 'payment';
  payment: string;
};

export interface ApprovedLimits {
  approval?: Assertion | null;
  limits: NewLimits;
}

export interface ApprovedPayment {
  id: string;
  refusal?: Code;
  status: PaymentStatus;
}

/** What a bound device answered; base64url without padding. */
export interface Assertion {
  authenticator_data: string;
  client_data_json: string;
  credential_id: string;
  signature: string;
  user_handle?: string | null;
}

/** What a new device answered; base64url without padding. */
export interface Attestation {
  attestation_object: string;
  client_data_json: string;
  credential_id: string;
  transports?: readonly string[];
}

export interface Attested {
  merchant_name: string;
  nonce: string;
  store_name: string;
  terminal: string;
}

export interface BankAccount {
  account_last4: string;
  bank_code: string;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  effective_at?: number;
  holder_name: string;
  id: string;
  reason?: string;
  /** Milliseconds since 1970-01-01 UTC. */
  requested_at: number;
  status: BankAccountStatus;
}

export interface BankAccountList {
  data: readonly BankAccount[];
  has_more: boolean;
}

export const BankAccountStatus = [
  'waiting',
  'approved',
  'rejected',
  'withdrawn',
] as const;
export type BankAccountStatus = (typeof BankAccountStatus)[number];

export interface BiometricQuery {
  amount_minor?: number;
  asked_by: string;
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  consent_version?: string;
  id: string;
  kind: 'enrolment' | 'identification' | 'deletion' | 'place_added' | 'place_removed';
  outcome: string;
  payment?: string;
  place?: string;
  rules_version?: string;
  searched?: Part;
  store_name?: string;
}

export interface BiometricQueryList {
  data: readonly BiometricQuery[];
  has_more: boolean;
}

export interface Books {
  balanced: boolean;
}

export interface Bound {
  acquirer_code: string;
  address: string;
  bank_account: string;
  credit_code: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
  merchant: string;
  serial: string;
}

/** Whether the money moves when the payer is known, or is held until it is captured. */
export const Capture = [
  'automatic',
  'manual',
] as const;
export type Capture = (typeof Capture)[number];

export interface CaptureAgent {
  url: string;
}

export interface Case {
  account?: CaseAccount;
  dispute?: CaseDispute;
  enrolment?: CaseEnrolment;
  look_up: string;
  /** Milliseconds since 1970-01-01 UTC. */
  open_until: number;
  payment?: CasePayment;
  reference: string;
}

export interface CaseAccount {
  enrolled: boolean;
  identity_class: IdentityClass;
  name_masked: string;
  phone_masked: string;
  state: AccountState;
}

export interface CaseDispute {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  credit_due_at: number;
  credited_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  status: DisputeStatus;
}

export interface CaseEnrolment {
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  parties_deleted: number;
  status: EnrolmentStatus;
}

export interface CasePayment {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  currency: 'CNY';
  id: string;
  merchant_name: string;
  /** Milliseconds since 1970-01-01 UTC. */
  paid_at?: number;
  refunded_minor: number;
  refunds: readonly Refund[];
  refusal?: Code;
  rules_version: string;
  status: PaymentStatus;
  store_name: string;
}

export interface Challenge {
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  issued_at: number;
  nonce: string;
  partition?: string;
}

export interface Closing {
  approval?: Assertion | null;
  passcode: string;
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
  'declined_by_payer',
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
  'voucher_invalid',
  'voucher_exceeded',
  'voucher_expired',
  'voucher_stopped',
  'voucher_used',
  'refund_exceeds_payment',
  'refund_window_over',
  'refund_needs_approval',
  'approval_by_asker',
  'code_invalid',
  'reference_unknown',
  'look_ups_spent',
  'case_over',
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

export interface Consent {
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at: number;
  granted: boolean;
  id: string;
  purpose: ConsentPurpose;
  text_sha256: string;
  version: string;
}

export interface ConsentList {
  data: readonly Consent[];
  has_more: boolean;
}

export const ConsentPurpose = [
  'payment',
  'membership',
  'improvement',
  'marketing',
] as const;
export type ConsentPurpose = (typeof ConsentPurpose)[number];

export interface ConsentText {
  locale: 'zh' | 'en';
  purpose: ConsentPurpose;
  text: string;
  text_sha256: string;
  version: string;
}

export interface ConsentTextList {
  data: readonly ConsentText[];
  has_more: boolean;
}

export interface Crowd {
  count: number;
  probe: SealedProbe;
}

export interface CrowdQueued {
  count: number;
  sequence: number;
}

export interface DeletionConfirmation {
  /** Milliseconds since 1970-01-01 UTC. */
  destroyed_at: number;
  party: number;
  record: string;
  sequence: number;
  signature: string;
}

export interface DeletionReceipt {
  /** Three for each record, one of each party. */
  confirmations: readonly DeletionConfirmation[];
  format: 'handsel-deletion-receipt/1';
  /** The parties' Ed25519 keys, in their order. */
  public_keys: readonly string[];
}

export interface Delivery {
  attempts: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  endpoint: string;
  event: string | Event;
  id: string;
  log: readonly DeliveryAttempt[];
  /** Milliseconds since 1970-01-01 UTC. */
  next_attempt_at?: number;
  status: DeliveryStatus;
}

export interface DeliveryAttempt {
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  failure?: 'name_unknown' | 'address_forbidden' | 'not_connected' | 'tls' | 'timeout' | 'malformed';
  status?: number;
  took_ms: number;
}

export interface DeliveryList {
  data: readonly Delivery[];
  has_more: boolean;
}

export const DeliveryStatus = [
  'pending',
  'delivered',
  'dead',
] as const;
export type DeliveryStatus = (typeof DeliveryStatus)[number];

export interface Desk {
  id: string;
  look_ups_left: number;
  look_ups_per_hour_max: number;
  name: string;
}

export interface Dispute {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  appeal_by?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  appealed_at?: number;
  cause: DisputeCause;
  /** Milliseconds since 1970-01-01 UTC. */
  credit_due_at: number;
  credited_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  evidence: Evidence;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  payment: string;
  reason?: string;
  rules_version: string;
  status: DisputeStatus;
}

export const DisputeCause = [
  'not_there',
  'lookalike',
  'wrong_basket',
  'forced',
  'other',
] as const;
export type DisputeCause = (typeof DisputeCause)[number];

export interface DisputeCount {
  amount_minor: number;
  cause: DisputeCause;
  count: number;
  status: DisputeStatus;
}

export interface DisputeList {
  data: readonly Dispute[];
  has_more: boolean;
}

export interface DisputeStatistics {
  compensated_minor: number;
  disputes: readonly DisputeCount[];
  payments: number;
}

export const DisputeStatus = [
  'open',
  'upheld',
  'rejected',
  'withdrawn',
] as const;
export type DisputeStatus = (typeof DisputeStatus)[number];

export const Element = [
  'acquirer_code',
  'merchant_code',
  'credit_code',
  'settlement_account',
  'location',
] as const;
export type Element = (typeof Element)[number];

export interface Enrolment {
  challenge?: Challenge;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  deletions: readonly DeletionConfirmation[];
  /** Milliseconds since 1970-01-01 UTC. */
  enrolled_at?: number;
  id: string;
  status: EnrolmentStatus;
}

export const EnrolmentStatus = [
  'waiting_for_capture',
  'storing',
  'enrolled',
  'deleting',
  'deleted',
] as const;
export type EnrolmentStatus = (typeof EnrolmentStatus)[number];

/** The body of a webhook. */
export interface Event {
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  data: EventData;
  id: string;
  type: EventType;
}

export interface EventData {
  bank_account?: BankAccount;
  payment?: Payment;
  payout?: Payout;
}

export interface EventList {
  data: readonly Event[];
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

export interface Evidence {
  /** Milliseconds since 1970-01-01 UTC. */
  challenge_issued_at?: number;
  ledger_hash: string;
  ledger_sequence: number;
  merchant_name: string;
  /** Milliseconds since 1970-01-01 UTC. */
  paid_at?: number;
  payee_statement?: string;
  rules_version: string;
  store_name: string;
  terminal: string;
  terms_sha256?: string;
  verified_by?: 'look' | 'look_and_passcode' | 'look_and_phone' | 'voucher';
}

export interface Figures {
  begun: number;
  /** Milliseconds since 1970-01-01 UTC. */
  from: number;
  hours: readonly HourFigures[];
  paid: number;
  paid_minor: number;
  refunded_minor: number;
  refusals: readonly RefusalFigures[];
  seconds: readonly SecondsFigures[];
  /** Milliseconds since 1970-01-01 UTC. */
  until: number;
}

export const FreezeReason = [
  'caller_asked',
  'phone_lost',
  'not_their_payment',
  'misuse_suspected',
] as const;
export type FreezeReason = (typeof FreezeReason)[number];

export interface HeadOffice {
  /** Unified social credit code; the last character is the check character (GB 32100-2015). */
  credit_code: string;
  legal_name: string;
  refund_day_max_minor?: number | null;
  refund_payment_max_minor?: number | null;
}

export interface Health {
  status: 'up';
}

export interface Helped {
  activity: readonly Activity[];
  frozen: boolean;
  helper: Helper;
  notable_payment_minor: number;
}

export interface Helper {
  /** Milliseconds since 1970-01-01 UTC. */
  accepted_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  froze_at?: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  invited_at: number;
  name?: string;
  phone_masked: string;
  role: HelperRole;
}

export interface HelperList {
  data: readonly Helper[];
  has_more: boolean;
}

export const HelperRole = [
  'helps_me',
  'i_help',
] as const;
export type HelperRole = (typeof HelperRole)[number];

export interface HourFigures {
  failed: number;
  hour: number;
  paid: number;
  paid_minor: number;
}

export const IdentityClass = [
  'I',
  'II',
  'III',
] as const;
export type IdentityClass = (typeof IdentityClass)[number];

export interface Limits {
  next?: StandingLimits;
  /** Milliseconds since 1970-01-01 UTC. */
  next_from?: number;
  standing: StandingLimits;
}

export interface Me {
  approvals_frozen: boolean;
  balance_minor: number;
  class_remaining_minor: number;
  closed: boolean;
  consents: readonly Consent[];
  cooling_off_payment_max_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  cooling_off_until?: number;
  currency: 'CNY';
  devices: readonly Passkey[];
  enrolment?: Enrolment;
  enrolment_allowed: boolean;
  first_device: boolean;
  frozen: boolean;
  /** Milliseconds since 1970-01-01 UTC. */
  halved_until?: number;
  id: string;
  identity_class: IdentityClass;
  look_only_max_minor: number;
  name: string;
  notices: readonly SafetyNotice[];
  paused: boolean;
  phone_masked: string;
  set_aside_minor: number;
  undo_payment_max_minor: number;
  undo_window_s: number;
}

export const Mode = [
  'test',
  'live',
] as const;
export type Mode = (typeof Mode)[number];

export interface NewAccount {
  name: string;
  passcode: string;
  phone: string;
}

export interface NewActivation {
  store: string;
}

export interface NewApiKey {
  name: string;
}

export interface NewBankAccount {
  account_number: string;
  bank_code: string;
  holder_name: string;
}

export interface NewCapture {
  amount_minor?: number | null;
}

export interface NewChallenge {
  phone_suffix?: string | null;
}

export interface NewCity {
  city: string;
}

export interface NewConsent {
  granted: boolean;
  purpose: ConsentPurpose;
  text_sha256: string;
}

export interface NewDispute {
  cause: DisputeCause;
  freeze: boolean;
  payment: string;
}

export interface NewDuressPasscode {
  duress_passcode?: string | null;
  passcode: string;
}

export interface NewEnrolment {
  approval?: Assertion | null;
}

export interface NewFreeze {
  reason: FreezeReason;
}

export interface NewHelper {
  passcode: string;
  phone: string;
}

export interface NewLimits {
  day_max_minor?: number | null;
  night_max_minor?: number | null;
  passcode_always?: boolean;
  payment_max_minor?: number | null;
}

export interface NewLookUp {
  reference: string;
}

export interface NewPasskey {
  approval?: Assertion | null;
  attestation: Attestation;
  name: string;
  passcode?: string | null;
}

export interface NewPayment {
  amount_minor: number;
  capture?: Capture;
  currency: 'CNY';
  merchant_reference?: string | null;
  metadata?: Readonly<Record<string, string>> | null;
  terminal?: string | null;
}

export interface NewPaymentApproval {
  approval: Assertion;
}

export interface NewRefund {
  amount_minor?: number | null;
}

export interface NewRefundRequest {
  amount_minor: number;
  payment: string;
  reason: string;
}

export interface NewSession {
  passcode: string;
  phone: string;
}

export interface NewShopStore {
  name: string;
  place: Place;
}

export interface NewStaffMember {
  name: string;
  role: Role;
}

export interface NewStatement {
  statement: string;
}

export interface NewTopUp {
  amount_minor: number;
}

export interface NewVouchers {
  approval: Assertion;
  store: string;
}

export interface NewWebhookEndpoint {
  /** Everything without. */
  event_types?: readonly EventType[] | null;
  /** An absolute https URL of a public host. */
  url: string;
}

export const NoticeKind = [
  'device_bound',
  'device_rebound',
  'device_removed',
  'approvals_frozen',
  'approvals_thawed',
  'enrolment_approved',
  'limits_raised',
  'payment_approved',
  'voucher_used',
  'helper_froze',
  'service_froze',
] as const;
export type NoticeKind = (typeof NoticeKind)[number];

export interface PaidVoucher {
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  taken_at: number;
}

/** Which part of the gallery a look was compared with. */
export const Part = [
  'gallery',
  'city',
  'regulars',
  'phone_suffix',
] as const;
export type Part = (typeof Part)[number];

export interface PartyReadiness {
  connected: boolean;
  diverged: boolean;
  gallery_sequence: number | null;
  in_step: boolean;
  party: number;
  peers_connected: boolean;
  records: number | null;
}

export interface Passcode {
  passcode: string;
}

export interface Passkey {
  /** Milliseconds since 1970-01-01 UTC. */
  approves_from: number;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  last_used_at?: number;
  name: string;
}

export interface PasskeyRequest {
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  /** Options of Web Authentication level 3, for PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON. */
  public_key: Readonly<Record<string, unknown>>;
}

export interface PasskeySignIn {
  assertion: Assertion;
}

export interface PayeeDispute {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  status: DisputeStatus;
}

export interface Payment {
  amount_minor: number;
  /** How the payer may go on, while it awaits the passcode or the payer's phone. */
  asks?: 'passcode' | 'phone' | 'passcode_or_phone';
  attempts_left?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  authorised_at?: number;
  capture: Capture;
  captured_minor: number;
  challenge?: Challenge;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  currency: 'CNY';
  dispute?: string | PayeeDispute;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  id: string;
  merchant: string;
  merchant_name: string;
  merchant_reference?: string;
  metadata?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970-01-01 UTC. */
  paid_at?: number;
  /** Not one person was found in the part of the gallery that was searched without them: the next challenge needs the phone's last four digits. */
  phone_suffix_required?: boolean;
  refunded_minor: number;
  refunds: readonly Refund[];
  refusal?: Code;
  rules_version: string;
  status: PaymentStatus;
  store: string;
  store_name: string;
  terminal: string;
  terms_sha256?: string;
  voucher?: PaidVoucher;
}

export interface PaymentList {
  data: readonly Payment[];
  has_more: boolean;
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

export interface Payout {
  amount_minor: number;
  bank_account: string;
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  currency: 'CNY';
  /** Milliseconds since 1970-01-01 UTC. */
  ended_at?: number;
  hold_reason?: 'round_sums' | 'night' | 'one_payer' | 'returned_before';
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  sent_at?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  settles_until: number;
  status: PayoutStatus;
}

export interface PayoutList {
  data: readonly Payout[];
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

export interface Place {
  address: string;
  city: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
}

export interface Places {
  cities: readonly string[];
  city?: string;
  shops: readonly VisitedShop[];
}

export interface ProbeContext {
  amount_minor: number;
  counter: number;
  currency: string;
  dimensions: number;
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  /** Milliseconds since 1970-01-01 UTC. */
  issued_at: number;
  nonce: string;
  partition?: string | null;
  payee: string;
  purpose: 'enrol' | 'pay';
  reference: string;
  templates: number;
  terminal: string;
}

/** RFC 9457 */
export interface Problem {
  attempts_left?: number;
  code: Code;
  decline_code?: Code;
  doc_url?: string;
  field?: string;
  remedy: string;
  request_id?: string;
  status: number;
  title: string;
  type: string;
}

export interface Readiness {
  galleries_equal: boolean;
  gallery_sequence: number;
  parties: readonly PartyReadiness[];
  ready: boolean;
}

export interface RedeemedActivation {
  code: string;
  /** Millionths of a degree, WGS 84. */
  latitude_e6: number;
  /** Millionths of a degree, WGS 84. */
  longitude_e6: number;
  public_key: string;
  serial: string;
  token_sha256: string;
}

export interface RedeemedInvitation {
  attestation: Attestation;
  code: string;
}

export interface Refund {
  amount_minor: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  refunded_at: number;
}

export interface RefundRequest {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  asked_at: number;
  asked_by: string;
  asked_by_name: string;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  decided_by_name?: string;
  id: string;
  payment: string;
  reason: string;
  status: 'waiting' | 'approved' | 'rejected';
}

export interface RefundRequestList {
  data: readonly RefundRequest[];
  has_more: boolean;
}

export interface RefusalFigures {
  code: Code;
  count: number;
}

export const Role = [
  'owner',
  'manager',
  'cashier',
  'accountant',
] as const;
export type Role = (typeof Role)[number];

export interface Rotation {
  /** How long the old one still holds, in seconds; a day without. */
  overlap_s?: number | null;
}

export interface SafetyNotice {
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  kind: NoticeKind;
}

/** Sealed to the three parties; the platform can open none of it. */
export interface SealedProbe {
  context: ProbeContext;
  sealed: readonly SealedShare[];
  signature: string;
}

export interface SealedShare {
  ciphertext: string;
  encapsulated_key: string;
}

export interface SecondsFigures {
  below_s?: number;
  from_s: number;
  paid: number;
}

export const ServiceAct = [
  'look_up',
  'freeze',
] as const;
export type ServiceAct = (typeof ServiceAct)[number];

export interface ServiceEntry {
  act: ServiceAct;
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  clerk: string;
  id: string;
  reason?: FreezeReason;
  reference: string;
}

export interface ServiceLog {
  data: readonly ServiceEntry[];
  has_more: boolean;
}

export interface Shop {
  head_office?: HeadOffice;
  may: readonly Action[];
  me: StaffMember;
  merchant: string;
  merchant_name: string;
  missing: readonly Element[];
}

export interface ShopDispute {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decide_by: number;
  /** Milliseconds since 1970-01-01 UTC. */
  decided_at?: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  opened_at: number;
  payment: string;
  /** Milliseconds since 1970-01-01 UTC. */
  stated_at?: number;
  statement?: string;
  status: DisputeStatus;
}

export interface ShopDisputeList {
  data: readonly ShopDispute[];
  has_more: boolean;
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

export interface ShownInvitation {
  code: string;
}

export interface SimulatedLook {
  shopper: 'funded' | 'penniless' | 'stranger' | 'twin';
}

export interface StaffChange {
  role: Role;
}

export interface StaffList {
  data: readonly StaffMember[];
  has_more: boolean;
}

export interface StaffMember {
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  id: string;
  invitation?: string;
  /** Milliseconds since 1970-01-01 UTC. */
  invited_until?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  joined_at?: number;
  name: string;
  role: Role;
}

export interface StandingLimits {
  day_max_minor?: number;
  night_max_minor?: number;
  passcode_always?: boolean;
  payment_max_minor?: number;
}

export interface TakenVoucher {
  amount_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  taken_at: number;
  text: string;
}

export interface Terminal {
  id: string;
  merchant: string;
  merchant_name: string;
  store: string;
  store_name: string;
}

export interface Terms {
  locale: 'zh' | 'en';
  terms_sha256: string;
  text: string;
  version: string;
}

export interface TestedActivation {
  signature: string;
  token: string;
}

/** Milliseconds since 1970-01-01 UTC. */
export type Time = number;

export interface TopUp {
  amount_minor: number;
  balance_minor: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  topped_up_at: number;
}

export interface VisitedShop {
  merchant_name: string;
  /** Milliseconds since 1970-01-01 UTC. */
  regular_since?: number;
  store: string;
  store_name: string;
}

export interface Voucher {
  currency: 'CNY';
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  issued_at: number;
  merchant_name: string;
  most_minor: number;
  payment?: string;
  state: 'open' | 'used' | 'stopped' | 'expired';
  store: string;
  store_name: string;
  text?: string;
}

export interface VoucherKit {
  /** Milliseconds since 1970-01-01 UTC. */
  at: number;
  day_max_minor: number;
  list_age_max_s: number;
  public_key: string;
  stopped: readonly string[];
  store: string;
  voucher_max_minor: number;
}

export interface VoucherStore {
  merchant_name: string;
  store: string;
  store_name: string;
}

export interface Vouchers {
  day_max_minor: number;
  /** Milliseconds since 1970-01-01 UTC. */
  more_from?: number;
  on?: VoucherStore;
  set_aside_minor: number;
  voucher_max_minor: number;
  vouchers: readonly Voucher[];
}

export interface WaitingPayment {
  amount_minor: number;
  currency: 'CNY';
  /** Milliseconds since 1970-01-01 UTC. */
  expires_at: number;
  id: string;
  merchant_name: string;
  store_name: string;
}

export type WaitingPayments = readonly WaitingPayment[];

export interface WebhookEndpoint {
  /** Milliseconds since 1970-01-01 UTC. */
  created_at: number;
  disabled_because?: 'gone';
  enabled: boolean;
  event_types: readonly EventType[];
  id: string;
  key_generation: number;
  /** Milliseconds since 1970-01-01 UTC. */
  previous_keys_until?: number;
  url: string;
}

export interface WebhookEndpointChange {
  enabled?: boolean | null;
  event_types?: readonly EventType[] | null;
  /** An absolute https URL of a public host. */
  url?: string | null;
}

export interface WebhookEndpointList {
  data: readonly WebhookEndpoint[];
  has_more: boolean;
}

export interface WebhookKey {
  generation: number;
  public_key: string;
  secret: string;
  /** Milliseconds since 1970-01-01 UTC. */
  until?: number;
}

export interface WebhookKeys {
  keys: readonly WebhookKey[];
}

/** Every operation. */
export const operations = [
  'GET /healthz',
  'GET /openapi.json',
  'GET /readyz',
  'POST /v1/accounts',
  'POST /v1/activations/redeem',
  'POST /v1/activations/test',
  'GET /v1/activity',
  'GET /v1/api-keys',
  'POST /v1/api-keys',
  'DELETE /v1/api-keys/{id}',
  'POST /v1/api-keys/{id}/rotate',
  'GET /v1/bank-accounts',
  'POST /v1/bank-accounts',
  'GET /v1/bank-accounts/{id}',
  'POST /v1/bank-accounts/{id}/withdraw',
  'GET /v1/books',
  'GET /v1/capture-agent',
  'GET /v1/consent-texts',
  'GET /v1/consent-texts/{id}',
  'GET /v1/consents',
  'POST /v1/consents',
  'GET /v1/deliveries/{id}',
  'POST /v1/deliveries/{id}/replay',
  'POST /v1/demo/crowd',
  'GET /v1/disputes',
  'POST /v1/disputes',
  'GET /v1/disputes/{id}',
  'POST /v1/disputes/{id}/appeal',
  'POST /v1/disputes/{id}/withdraw',
  'POST /v1/enrolments',
  'DELETE /v1/enrolments/{id}',
  'GET /v1/enrolments/{id}',
  'GET /v1/enrolments/{id}/receipt',
  'POST /v1/enrolments/{id}/template',
  'GET /v1/events',
  'GET /v1/events/{id}',
  'GET /v1/me',
  'POST /v1/me/approvals/freeze',
  'POST /v1/me/approvals/request',
  'POST /v1/me/approvals/thaw',
  'DELETE /v1/me/city',
  'PUT /v1/me/city',
  'POST /v1/me/close',
  'POST /v1/me/duress-passcode',
  'POST /v1/me/freeze',
  'GET /v1/me/helpers',
  'POST /v1/me/helpers',
  'GET /v1/me/helpers/{id}',
  'POST /v1/me/helpers/{id}/accept',
  'POST /v1/me/helpers/{id}/end',
  'POST /v1/me/helpers/{id}/freeze',
  'GET /v1/me/limits',
  'POST /v1/me/limits',
  'POST /v1/me/passkeys',
  'POST /v1/me/passkeys/request',
  'POST /v1/me/passkeys/{id}/remove',
  'POST /v1/me/pause',
  'GET /v1/me/payments/waiting',
  'POST /v1/me/payments/{id}/approve',
  'POST /v1/me/payments/{id}/decline',
  'POST /v1/me/payments/{id}/undo',
  'GET /v1/me/places',
  'DELETE /v1/me/regulars/{id}',
  'PUT /v1/me/regulars/{id}',
  'POST /v1/me/resume',
  'GET /v1/me/service-log',
  'POST /v1/me/thaw',
  'DELETE /v1/me/vouchers',
  'GET /v1/me/vouchers',
  'POST /v1/me/vouchers',
  'POST /v1/passkeys/request',
  'GET /v1/payments',
  'POST /v1/payments',
  'GET /v1/payments/{id}',
  'POST /v1/payments/{id}/cancel',
  'POST /v1/payments/{id}/capture',
  'POST /v1/payments/{id}/challenge',
  'GET /v1/payments/{id}/events',
  'POST /v1/payments/{id}/passcode',
  'POST /v1/payments/{id}/probe',
  'POST /v1/payments/{id}/refunds',
  'POST /v1/payments/{id}/void',
  'GET /v1/payouts',
  'GET /v1/payouts/{id}',
  'GET /v1/queries',
  'GET /v1/service',
  'POST /v1/service/invitation',
  'POST /v1/service/look-ups',
  'POST /v1/service/look-ups/{id}/freeze',
  'DELETE /v1/service/session',
  'POST /v1/service/session',
  'POST /v1/service/session/passkey',
  'POST /v1/service/session/request',
  'POST /v1/sessions',
  'DELETE /v1/sessions/current',
  'POST /v1/sessions/passkey',
  'GET /v1/shop',
  'GET /v1/shop/activations',
  'POST /v1/shop/activations',
  'POST /v1/shop/activations/{id}/stop',
  'GET /v1/shop/disputes',
  'POST /v1/shop/disputes/{id}/statement',
  'GET /v1/shop/figures',
  'POST /v1/shop/head-office',
  'POST /v1/shop/invitation',
  'GET /v1/shop/refund-requests',
  'POST /v1/shop/refund-requests',
  'POST /v1/shop/refund-requests/{id}/approve',
  'POST /v1/shop/refund-requests/{id}/reject',
  'DELETE /v1/shop/session',
  'POST /v1/shop/session',
  'POST /v1/shop/session/passkey',
  'POST /v1/shop/session/request',
  'GET /v1/shop/staff',
  'POST /v1/shop/staff',
  'DELETE /v1/shop/staff/{id}',
  'POST /v1/shop/staff/{id}',
  'POST /v1/shop/staff/{id}/invitation',
  'GET /v1/shop/stores',
  'POST /v1/shop/stores',
  'POST /v1/shop/stores/{id}',
  'GET /v1/statistics/disputes',
  'GET /v1/terminal',
  'GET /v1/terminal/vouchers',
  'POST /v1/terminal/vouchers',
  'GET /v1/terms',
  'POST /v1/test/payments/{id}/look',
  'POST /v1/top-ups',
  'GET /v1/webhook-endpoints',
  'POST /v1/webhook-endpoints',
  'DELETE /v1/webhook-endpoints/{id}',
  'GET /v1/webhook-endpoints/{id}',
  'POST /v1/webhook-endpoints/{id}',
  'GET /v1/webhook-endpoints/{id}/deliveries',
  'GET /v1/webhook-endpoints/{id}/keys',
  'POST /v1/webhook-endpoints/{id}/ping',
  'POST /v1/webhook-endpoints/{id}/rotate',
] as const;
