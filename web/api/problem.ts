// Errors of the HTTP API: RFC 9457 problem documents with a stable `code`, after crates/wire/src/problem.rs.
// `api/types.test.ts` compares the codes with that file.

export const codes = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'media_type_unsupported',
  'body_too_large',
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
  'payment_expired',
  'payment_cancelled',
  'consent_missing',
  'consent_outdated',
  'enrolment_exists',
  'phone_taken',
  'passcode_weak',
  'sign_in_failed',
  'refund_exceeds_payment',
  'refund_window_over',
  'storage_full',
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

/** Every outcome that is not success. */
export type Code = (typeof codes)[number];

/** The body of an error answer. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: Code;
  remedy: string;
  field?: string;
  attempts_left?: number;
  request_id?: string;
}

/** The server answered, and the answer is a refusal. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

/** No answer came: the request may or may not have been carried out. */
export class NoAnswerError extends Error {}

const codeSet: ReadonlySet<string> = new Set(codes);

/** Whether `text` is a code that the pages have a sentence for. */
export function isCode(text: unknown): text is Code {
  return typeof text === 'string' && codeSet.has(text);
}

/** The refusal's code; `internal` for whatever is none. */
export function codeOf(error: unknown): Code {
  if (error instanceof ProblemError) return error.problem.code;
  if (error instanceof NoAnswerError) return 'platform_unreachable';
  return 'internal';
}
