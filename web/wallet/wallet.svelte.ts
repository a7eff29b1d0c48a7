// The wallet's state: who is signed in and which view is shown. The view is in the address, so that back, reload and
// bookmarks work.

import { codeOf, type Code } from '../api/problem';
import type { Me } from '../api/types';
import { wallet as platform } from '../api/wallet';
import { viewOf, type View } from './views';

export class Wallet {
  /** `undefined` until the platform answered; `null` when nobody is signed in. */
  me: Me | null | undefined = $state.raw();
  view: View = $state.raw(viewOf(location.hash));
  /** Why the account could not be read. */
  failure: Code | undefined = $state();

  start(): void {
    addEventListener('hashchange', () => {
      this.view = viewOf(location.hash);
      void this.refresh();
    });
    void this.refresh();
  }

  /** Reads the account again; every view shows what the platform says now. */
  async refresh(): Promise<void> {
    try {
      this.me = await platform.me();
      this.failure = undefined;
    } catch (error) {
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
    this.me = null;
    location.hash = '#/';
  }
}
