// Errors of the HTTP API: RFC 9457 problem documents with a stable `code`.

import { Code, type Problem } from './schema';

export { Code, type Problem };

/** The device in hand, or its browser, refused. */
export class DeviceError extends Error {
  constructor(readonly code: Code) {
    super(code);
  }
}

/** The server answered, and the answer is a refusal. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code);
  }
}

/** No answer came: the request may or may not have been carried out. */
export class NoAnswerError extends Error {}

const codeSet: ReadonlySet<string> = new Set(Code);

/** Whether `text` is a code that the pages have a sentence for. */
export function isCode(text: unknown): text is Code {
  return typeof text === 'string' && codeSet.has(text);
}

/** The refusal's code; `internal` for whatever is none. */
export function codeOf(error: unknown): Code {
  if (error instanceof ProblemError) return error.problem.code;
  if (error instanceof DeviceError) return error.code;
  if (error instanceof NoAnswerError) return 'platform_unreachable';
  return 'internal';
}
