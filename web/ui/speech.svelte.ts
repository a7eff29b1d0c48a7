// Spoken prompts, where the browser has a voice. Amounts and results are said; passcodes and names never are.

import { locale } from './locale.svelte';

const available = typeof speechSynthesis !== 'undefined';

class Speech {
  #on: boolean = $state(available);

  /** Whether there is anything to switch on. */
  readonly available: boolean = available;

  get on(): boolean {
    return this.#on;
  }

  toggle(): void {
    this.#on = !this.#on;
    if (!this.#on && available) speechSynthesis.cancel();
  }

  /** Says `text`, cutting off what is being said: the newest prompt is the one that matters. */
  say(text: string): void {
    if (!this.#on || !available) return;
    speechSynthesis.cancel();
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = locale.tag;
    speechSynthesis.speak(utterance);
  }
}

export const speech = new Speech();
