// The wallet's state: who is signed in and which view is shown. The view is in the address, so that back, reload and
// bookmarks work.

import { serverNow } from '../api/client';
import { codeOf, NoAnswerError, type Code } from '../api/problem';
import type { Me, Vouchers } from '../api/types';
import { wallet as platform } from '../api/wallet';
import { keepVouchers, keptVouchers, type KeptVoucher } from './kept-vouchers';
import { viewOf, type View } from './views';

export class Wallet {
  /** `undefined` until the platform answered; `null` when nobody is signed in. */
  me: Me | null | undefined = $state.raw();
  view: View = $state.raw(viewOf(location.hash));
  /** Why the account could not be read. */
  failure: Code | undefined = $state();
  /** The platform did not answer: this phone is without network, or the platform is. */
  unreachable = $state(false);
  /** Vouchers that this phone keeps and that are good as far as it knows. */
  kept: readonly KeptVoucher[] = $state.raw([]);

  start(): void {
    addEventListener('hashchange', () => {
      this.view = viewOf(location.hash);
      void this.refresh();
    });
    void this.#readKept();
    void this.refresh();
  }

  /** Reads the account again; every view shows what the platform says now. */
  async refresh(): Promise<void> {
    try {
      this.me = await platform.me();
      this.failure = undefined;
      this.unreachable = false;
      // Somebody else's, or none is good any more: nothing of it stays on this phone.
      const { id, set_aside_minor } = this.me;
      if (this.kept.length > 0 && (set_aside_minor === 0 || this.kept.some(({ account }) => account !== id))) await this.keep([]);
    } catch (error) {
      this.unreachable = error instanceof NoAnswerError;
      const code = codeOf(error);
      if (code === 'unauthenticated') this.me = null;
      this.failure = code === 'unauthenticated' ? undefined : code;
    }
  }

  /** Takes over what the platform answered to a change of the account. */
  show(me: Me): void {
    this.me = me;
    this.failure = undefined;
  }

  signedIn(me: Me): void {
    this.me = me;
    location.hash = '#/';
  }

  async signOut(): Promise<void> {
    try {
      await platform.signOut();
    } catch (error) {
      this.failure = codeOf(error);
      return;
    }
    await this.keep([]);
    this.me = null;
    location.hash = '#/';
  }

  /** From now on this phone keeps these vouchers, and no others. */
  async keep(vouchers: readonly KeptVoucher[]): Promise<void> {
    await keepVouchers(vouchers);
    await this.#readKept();
  }

  /** Of what this phone keeps, only what the platform still calls good. */
  async follow(vouchers: Vouchers): Promise<void> {
    const good = new Set(vouchers.vouchers.filter(({ state }) => state === 'open').map(({ id }) => id));
    if (this.kept.some(({ id }) => !good.has(id))) await this.keep(this.kept.filter(({ id }) => good.has(id)));
  }

  async #readKept(): Promise<void> {
    this.kept = await keptVouchers(serverNow());
  }
}
