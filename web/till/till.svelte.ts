// The till's state: one payment at a time, from the amount to a definite result. The platform's answer decides the
// screen; this page never assumes one.

import { newIdempotencyKey } from '../api/client';
import { codeOf, NoAnswerError, ProblemError, type Code } from '../api/problem';
import { till as agent } from '../api/till';
import type { Payment, TillConfig } from '../api/types';
import { locale } from '../ui/locale.svelte';
import { Outage } from './outage.svelte';
import { answered, isOpen, lookCanArrive_ms, meaningOf, screenOf, typical_ms, type Screen, type Stop } from './steps';

/** Kept over a reload, so that a payment under way is never forgotten. Holds the payment's identifier only. */
const storageKey = 'handsel.till.payment';
const poll_ms = 1_000;
const follow_ms = 5_000;

export class Till {
  screen: Screen = $state.raw({ name: 'amount' });
  amount_minor = $state(0);
  config: TillConfig | undefined = $state.raw();
  agentAnswers = $state(true);
  readonly outage = new Outage();
  /** A request is under way; buttons say so. */
  busy = $state(false);
  /** Why the payment could not be begun. */
  notBegun: Code | undefined = $state();
  /** While checking: the last question got no answer. */
  unreachable = $state(false);
  /** While checking: the shopper wished to cancel, but it was too late. */
  tooLate = $state(false);

  #intention: { amount_minor: number; key: string } | undefined;
  #suffix: string | undefined;
  /** Grows when the shopper or the cashier turns to something else: answers to an older turn are dropped. */
  #turn = 0;

  /** Reads who this till is, takes up a payment that was under way, and keeps watching both. */
  async start(): Promise<void> {
    void this.outage.start();
    // Who this till was when it last knew: a reload without network begins with that.
    this.config = await this.outage.config();
    if (this.config) locale.propose(this.config.locale);
    setInterval(() => void this.#refreshConfig(), follow_ms);
    setInterval(() => void this.#follow(), follow_ms);
    await this.#refreshConfig();
    const id = remembered();
    if (id !== undefined) await this.#resume(id);
  }

  /** The cashier set the amount: begins a payment and turns the screen to the shopper. */
  async charge(amount_minor = this.amount_minor): Promise<Payment | undefined> {
    if (this.busy || amount_minor < 1) return undefined;
    // The same amount after a failure is the same intention: the key makes sure that one payment comes of it.
    if (this.#intention?.amount_minor !== amount_minor) this.#intention = { amount_minor, key: newIdempotencyKey() };
    const { key } = this.#intention;
    this.notBegun = undefined;
    this.#suffix = undefined;
    this.busy = true;
    try {
      const payment = await agent.create({ amount_minor, currency: 'CNY', capture: 'automatic' }, key);
      this.#intention = undefined;
      this.#show(payment);
      return payment;
    } catch (error) {
      if (!(error instanceof NoAnswerError)) this.#intention = undefined;
      this.notBegun = codeOf(error);
      this.screen = { name: 'amount' };
      return undefined;
    } finally {
      this.busy = false;
    }
  }

  /** The shopper's gesture: asks for a challenge, then opens the camera. */
  async payWithFace(payment: Payment): Promise<void> {
    if (this.busy) return;
    performance.mark('press');
    performance.mark('look-begun');
    const turn = ++this.#turn;
    this.busy = true;
    try {
      const suffix = this.#suffix;
      const challenged = await agent.challenge(payment.id, suffix === undefined ? {} : { phone_suffix: suffix }, newIdempotencyKey());
      if (turn === this.#turn) this.screen = { name: 'looking', payment: challenged };
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof ProblemError && error.problem.code === 'phone_suffix_required') this.screen = { name: 'suffix', payment };
      else if (error instanceof ProblemError && error.problem.code === 'state_conflict') await this.#settle(payment, turn);
      // No look was sent, so nothing can be charged whatever became of the challenge.
      else this.#stop(payment, { code: codeOf(error) });
    } finally {
      this.busy = false;
    }
  }

  /** The last four digits of the shopper's phone, before the look. */
  async giveSuffix(payment: Payment, suffix: string): Promise<void> {
    this.#suffix = suffix;
    await this.payWithFace(payment);
  }

  /** The camera is off again; its frames go to the agent. From here until the answer, nothing is known. */
  async sendLook(payment: Payment, frames: readonly Blob[]): Promise<void> {
    const turn = ++this.#turn;
    this.screen = { name: 'checking', payment };
    this.#clearDoubts();
    try {
      const answer = await agent.look(payment.id, frames, newIdempotencyKey());
      if (turn !== this.#turn) return;
      if (answer.status === 'being_checked') await this.#settle(payment, turn);
      else this.#show(answer);
    } catch (error) {
      if (turn !== this.#turn) return;
      const meaning = meaningOf(error);
      if (meaning === 'unknown') await this.#settle(payment, turn, answered(codeOf(error)));
      else this.#stop(payment, { code: meaning.code });
    }
  }

  /** The look led nowhere: nothing was sent, nothing was charged. */
  lookRefused(payment: Payment, stop: Stop): void {
    this.#turn++;
    this.#stop(payment, stop);
  }

  async givePasscode(payment: Payment, passcode: string): Promise<void> {
    const turn = ++this.#turn;
    this.screen = { name: 'checking', payment };
    this.#clearDoubts();
    try {
      const answer = await agent.passcode(payment.id, passcode, newIdempotencyKey());
      if (turn !== this.#turn) return;
      if (answer.status === 'being_checked') await this.#settle(payment, turn);
      else this.#show(answer);
    } catch (error) {
      if (turn !== this.#turn) return;
      const meaning = meaningOf(error);
      if (meaning === 'unknown') await this.#settle(payment, turn);
      else if (meaning.code === 'passcode_wrong') this.screen = { name: 'passcode', payment, problem: meaning };
      else this.#stop(payment, { code: meaning.code });
    }
  }

  /** Looks again for the same purchase: with the open payment, or a new one when the old one is over. */
  async again(payment: Payment, withDigits: boolean): Promise<void> {
    let open: Payment | undefined;
    try {
      open = await agent.read(payment.id);
    } catch (error) {
      this.#stop(payment, { code: codeOf(error) });
      return;
    }
    if (open.status === 'created' || open.status === 'challenged') this.#show(open);
    else if (isOpen(open)) return void (await this.#settle(open, ++this.#turn));
    else if (open.status === 'paid') return this.#show(open);
    else open = await this.charge(payment.amount_minor);
    if (open && withDigits) this.screen = { name: 'suffix', payment: open };
  }

  /** Cancels at any time. When it is too late for that, the definite answer is waited for. */
  async cancel(payment: Payment): Promise<void> {
    const turn = ++this.#turn;
    const looked = this.screen.name === 'checking';
    // Leaving the look closes the camera at once, whatever the platform answers.
    if (this.screen.name === 'looking') this.screen = { name: 'offer', payment };
    try {
      const answer = await agent.cancel(payment.id, newIdempotencyKey());
      if (turn === this.#turn) this.#show(answer);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.tooLate = looked;
      // Before a look was sent nothing can be charged; after it only the platform knows.
      if (looked || codeOf(error) === 'state_conflict') await this.#settle(payment, turn);
      else this.#stop(payment, { code: codeOf(error) });
    }
  }

  /** Leaves a look that led nowhere: the payment is cancelled, and the till is free again. */
  async leave(payment: Payment): Promise<void> {
    await this.cancel(payment);
    if (this.screen.name === 'result' && this.screen.payment.status === 'cancelled') this.finish();
  }

  /** Back to the cashier. */
  finish(): void {
    this.#turn++;
    this.amount_minor = 0;
    this.notBegun = undefined;
    this.#suffix = undefined;
    this.screen = { name: 'amount' };
    remember(undefined);
  }

  /** Without network: turns the screen to the shopper, who shows a voucher. */
  showVoucher(): void {
    this.screen = { name: 'voucher', amount_minor: this.amount_minor };
  }

  /** Why the voucher is not taken; nothing if it is. */
  async takeVoucher(text: string, amount_minor: number): Promise<Code | undefined> {
    const taken = await this.outage.take(text, amount_minor);
    if (typeof taken === 'string') return taken;
    this.screen = { name: 'taken', taken };
    return undefined;
  }

  showRecent(): void {
    this.screen = { name: 'recent' };
  }

  /** How long a look usually takes at this till now, in milliseconds. */
  typicalLook_ms(): number | undefined {
    return typical_ms(performance.getEntriesByName('look'), performance.now());
  }

  showStaff(): void {
    this.screen = { name: 'staff' };
  }

  /**
   * Asks how the payment stands until it is known; the screen says that it is being checked. With `reason` the look is
   * known to have ended, so that a payment that still waits for one has failed for that reason.
   */
  async #settle(payment: Payment, turn: number, reason?: Code): Promise<void> {
    this.screen = { name: 'checking', payment };
    const begun_ms = performance.now();
    while (turn === this.#turn) {
      try {
        const answer = await agent.read(payment.id);
        if (turn !== this.#turn) return;
        this.unreachable = false;
        if ((answer.status === 'created' || answer.status === 'challenged') && !answer.phone_suffix_required) {
          if (reason) return this.#stop(answer, { code: reason });
          // The look may still be on its way, until its challenge ends.
          if (performance.now() - begun_ms > lookCanArrive_ms(payment)) return this.#stop(answer, { lost: true });
        } else if (answer.status !== 'being_checked') {
          return this.#show(answer);
        }
      } catch (error) {
        if (turn !== this.#turn) return;
        this.unreachable = error instanceof NoAnswerError || codeOf(error) === 'platform_unreachable';
      }
      await new Promise((resolve) => setTimeout(resolve, poll_ms));
    }
  }

  #show(payment: Payment): void {
    this.#clearDoubts();
    this.screen = screenOf(payment);
    remember(isOpen(payment) ? payment.id : undefined);
    if (this.screen.name === 'result' || this.screen.name === 'passcode') this.#lookEnded();
    if (payment.status === 'paid') this.#measure('press-to-paid', 'press');
  }

  #stop(payment: Payment, stop: Stop): void {
    this.#clearDoubts();
    this.screen = { name: 'stopped', payment, stop };
    this.#lookEnded();
  }

  /** Without the time in which somebody types a passcode. */
  #lookEnded(): void {
    this.#measure('look', 'look-begun');
  }

  /** Times stay in this page's memory. */
  #measure(name: string, since: string): void {
    if (performance.getEntriesByName(since).length === 0) return;
    performance.measure(name, since);
    performance.clearMarks(since);
  }

  #clearDoubts(): void {
    this.unreachable = false;
    this.tooLate = false;
  }

  async #resume(id: string): Promise<void> {
    const turn = ++this.#turn;
    while (turn === this.#turn) {
      try {
        const payment = await agent.read(id);
        if (turn !== this.#turn) return;
        if (payment.status === 'being_checked') await this.#settle(payment, turn);
        else if (isOpen(payment)) this.#show(payment);
        else remember(undefined);
        return;
      } catch (error) {
        if (error instanceof ProblemError && error.problem.code === 'not_found') return remember(undefined);
        await new Promise((resolve) => setTimeout(resolve, poll_ms));
      }
    }
  }

  async #refreshConfig(): Promise<void> {
    try {
      const first = this.config === undefined;
      this.config = await agent.config();
      this.agentAnswers = true;
      this.outage.keepConfig(this.config);
      if (first) locale.propose(this.config.locale);
    } catch (error) {
      // A refusal comes from an agent that runs but does not reach the platform.
      this.agentAnswers = error instanceof ProblemError;
    }
  }

  /** Sees a payment end while nobody does anything: its time is over, or it was cancelled elsewhere. */
  async #follow(): Promise<void> {
    const { screen } = this;
    if (screen.name !== 'offer' && screen.name !== 'suffix' && screen.name !== 'passcode') return;
    if (this.busy) return;
    try {
      const payment = await agent.read(screen.payment.id);
      if (this.screen === screen && !isOpen(payment)) this.#show(payment);
    } catch {
      // The next step of the shopper will say that there is no connection.
    }
  }
}

function remembered(): string | undefined {
  try {
    return localStorage.getItem(storageKey) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(id: string | undefined): void {
  try {
    if (id === undefined) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, id);
  } catch {
    // Without storage a reload begins at the amount; the payment itself is safe with the platform.
  }
}
