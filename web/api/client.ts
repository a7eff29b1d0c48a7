// One HTTP call: JSON in and out, problem documents as exceptions, and "no answer" kept apart from "no".

import { isCode, NoAnswerError, ProblemError, type Problem } from './problem';
import type { Timestamp } from './types';

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is: one JPEG, or a form with several. */
  body?: Blob | FormData;
  headers?: Record<string, string>;
  /** How long to wait for the answer, in milliseconds. */
  patience_ms?: number;
}

/** Longer than any answer of the servers takes when all is well. */
const patience_ms_default = 20_000;

/**
 * Carries out one call and returns the answer's JSON, `undefined` for an empty answer.
 * Throws `ProblemError` when the server refused and `NoAnswerError` when it is not known whether it acted.
 */
export async function call<T>(url: string, { method = 'GET', json, body, headers = {}, patience_ms = patience_ms_default }: Call = {}): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: json === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      signal: AbortSignal.timeout(patience_ms),
      cache: 'no-store',
    });
    text = await response.text();
    setClock(response.headers.get('date'));
  } catch (error) {
    throw new NoAnswerError('no answer', { cause: error });
  }
  const content = parsed(text);
  if (response.ok) return content as T;
  throw refusal(response.status, content);
}

let ahead_ms = 0;

/** The server's time, as far as its last answer tells it: what may still be done is its clock's decision, not the phone's. */
export function serverNow(): Timestamp {
  return Date.now() + ahead_ms;
}

/** HTTP dates have whole seconds; a clock that is right within three is left alone. */
function setClock(date: string | null): void {
  const difference_ms = date === null ? NaN : Date.parse(date) + 500 - Date.now();
  ahead_ms = Math.abs(difference_ms) > 3_000 ? difference_ms : 0;
}

/** A fresh key for one intention; a retry of the same intention uses the same key. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, content: unknown): Error {
  if (typeof content === 'object' && content !== null && 'code' in content) {
    const problem = content as Problem;
    // A newer server may know codes that this page does not.
    return new ProblemError(isCode(problem.code) ? problem : { ...problem, code: 'internal' });
  }
  // A 5xx that is no problem document comes from something in between: whether the request was carried out is unknown.
  if (status >= 500) return new NoAnswerError(`status ${status}`);
  return new ProblemError({ type: '', title: '', status, code: 'internal', remedy: '' });
}
