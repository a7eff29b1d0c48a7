// Who is at the desk. A case is on the screen only: it is in no address, no history and no storage, and goes with whoever leaves.

import { codeOf, type Code } from '../api/problem';
import { service as platform } from '../api/service';
import type { Desk } from '../api/types';

export class DeskState {
  /** `undefined` until the platform answered; `null` when nobody is signed in. */
  desk: Desk | null | undefined = $state.raw();
  /** Why it could not be read. */
  failure: Code | undefined = $state();
  /** Whether the platform ended the session while somebody worked. */
  ended = $state(false);

  /** The invitation in the address, such as `#/join/CODE`. */
  get code(): string {
    return /^#\/join\/([^/]+)$/.exec(location.hash)?.[1] ?? '';
  }

  async refresh(): Promise<void> {
    try {
      this.desk = await platform.read();
      this.failure = undefined;
    } catch (error) {
      this.failed(error);
    }
  }

  /** Somebody has come in. */
  enter(desk: Desk): void {
    this.desk = desk;
    this.ended = false;
    this.failure = undefined;
    location.hash = '#/';
  }

  /** Takes note of a refusal: without a session nothing stays on the screen. */
  failed(error: unknown): void {
    const code = codeOf(error);
    if (code !== 'unauthenticated') {
      this.failure = code;
      return;
    }
    this.ended = this.desk !== undefined && this.desk !== null;
    this.desk = null;
    this.failure = undefined;
  }

  async leave(): Promise<void> {
    try {
      await platform.signOut();
      this.desk = null;
    } catch (error) {
      this.failed(error);
    }
  }
}
