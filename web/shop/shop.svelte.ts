// The console's state: who is signed in and which view is shown. The view is in the address, so that back, reload and
// bookmarks work.

import { codeOf, type Code } from '../api/problem';
import { shop as platform } from '../api/shop';
import type { Action, Shop } from '../api/types';
import { viewOf, type View } from './views';

export class Console {
  /** `undefined` until the platform answered; `null` when nobody is signed in. */
  shop: Shop | null | undefined = $state.raw();
  /** Why it could not be read. */
  failure: Code | undefined = $state();
  #hash = $state(location.hash);

  get view(): View {
    return viewOf(this.#hash, this.shop?.may ?? []);
  }

  may(action: Action): boolean {
    return this.shop?.may.includes(action) ?? false;
  }

  start(): void {
    addEventListener('hashchange', () => {
      this.#hash = location.hash;
      void this.refresh();
    });
    void this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      this.shop = await platform.read();
      this.failure = undefined;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'unauthenticated') this.shop = null;
      this.failure = code === 'unauthenticated' ? undefined : code;
    }
  }

  /** Somebody has come in. */
  enter(shop: Shop): void {
    this.shop = shop;
    location.hash = '#/';
  }

  async leave(): Promise<void> {
    try {
      await platform.signOut();
      this.shop = null;
      location.hash = '#/';
    } catch (error) {
      this.failure = codeOf(error);
    }
  }
}
