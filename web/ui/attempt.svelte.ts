// One thing asked of the server at a time, and how it was refused.

import { newIdempotencyKey } from '../api/client';
import { codeOf, NoAnswerError, ProblemError, type Code } from '../api/problem';

export class Attempt {
  busy = $state(false);
  /** Why the last try led nowhere. */
  failure: Code | undefined = $state();
  /** How often a wrong passcode may be tried again, when that was the reason. */
  attemptsLeft: number | undefined = $state();
  #intention: { content: string; key: string } | undefined;

  /**
   * Does `work` with an idempotency key and says whether it was done. After a lost answer the same `content` is asked for
   * under the same key, so that nothing happens twice.
   */
  async run(work: (key: string) => Promise<unknown>, content = ''): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.clear();
    if (this.#intention?.content !== content) this.#intention = { content, key: newIdempotencyKey() };
    try {
      await work(this.#intention.key);
      this.#intention = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) this.#intention = undefined;
      this.failure = codeOf(error);
      this.attemptsLeft = error instanceof ProblemError ? error.problem.attempts_left : undefined;
      return false;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.failure = undefined;
    this.attemptsLeft = undefined;
  }
}
