// Whether the platform can be reached, and what the till does while it cannot: it takes vouchers, keeps them on this device, and
// hands them in by itself when the network is back.

import { codeOf, NoAnswerError, ProblemError, type Code } from '../api/problem';
import { till as agent } from '../api/till';
import type { TillConfig, Timestamp, VoucherKit } from '../api/types';
import { Kept } from '../ui/kept';
import { isStale, readVoucher, refusalOf } from './voucher';

/** A voucher that this till took. */
export interface Taken {
  /** The voucher's identifier. */
  id: string;
  text: string;
  amount_minor: number;
  taken_at: Timestamp;
  expires_at: Timestamp;
  /** Nothing until it is handed in. */
  outcome?: 'paid' | Code;
  /** The cashier has seen the outcome. */
  seen?: boolean;
}

const tables = ['known', 'taken'];
const known = new Kept<VoucherKit | TillConfig>('handsel-till', tables, 'known');
const taken = new Kept<Taken>('handsel-till', tables, 'taken');

/** With the agent's patience of 0.9 s a loss is seen within two seconds. */
const beat_ms = 400;
const kit_ms = 30_000;

/** After these the same is asked again later: nobody knows whether the platform acted, or this till has to be mended first. */
const later: ReadonlySet<Code> = new Set<Code>(['platform_unreachable', 'internal', 'request_in_flight', 'storage_full', 'rate_limited', 'ledger_halted', 'unauthenticated', 'forbidden']);

export class Outage {
  /** Since when the platform cannot be reached. */
  since: Timestamp | undefined = $state();
  kit: VoucherKit | undefined = $state.raw();
  /** Newest first. */
  taken: readonly Taken[] = $state.raw([]);
  /** This device keeps nothing: no voucher may be taken. */
  broken = $state(false);
  now: Timestamp = $state(Date.now());
  #kitAsked_ms = -kit_ms;

  readonly down = $derived(this.since !== undefined);
  readonly waiting = $derived(this.taken.filter((one) => one.outcome === undefined));
  readonly news = $derived(this.taken.filter((one) => one.outcome !== undefined && !one.seen));
  readonly stale = $derived(this.kit !== undefined && isStale(this.kit, this.now));
  /** How old the list of stopped vouchers is, in milliseconds. */
  readonly age_ms = $derived(this.kit === undefined ? undefined : Math.max(0, this.now - this.kit.at));

  async start(): Promise<void> {
    try {
      this.kit = (await known.get('kit')) as VoucherKit | undefined;
      await this.#read();
    } catch {
      this.broken = true;
    }
    addEventListener('offline', () => void this.#beat());
    for (;;) {
      await this.#beat();
      await new Promise((resolve) => setTimeout(resolve, beat_ms));
    }
  }

  /** Who this till is, as it was when it last knew. */
  async config(): Promise<TillConfig | undefined> {
    return known.get('config').then((value) => value as TillConfig | undefined, () => undefined);
  }

  keepConfig(config: TillConfig): void {
    known.put('config', config).catch(() => (this.broken = true));
  }

  /** Takes a voucher for `amount_minor`, kept on this device before it returns; or says why not. */
  async take(text: string, amount_minor: number): Promise<Taken | Code> {
    const { kit } = this;
    const now = Date.now();
    if (!kit || this.broken || isStale(kit, now)) return 'platform_unreachable';
    const voucher = await readVoucher(text, kit.public_key);
    if (!voucher) return 'voucher_invalid';
    const refusal = refusalOf(voucher, amount_minor, kit, this.taken.some(({ id }) => id === voucher.id), now);
    if (refusal) return refusal;
    const one: Taken = { id: voucher.id, text: text.replace(/\s/g, '').toUpperCase(), amount_minor, taken_at: now, expires_at: voucher.expires_at };
    try {
      await taken.add(one.id, one);
    } catch (error) {
      // Another window of this till has taken it.
      if (error instanceof DOMException && error.name === 'ConstraintError') return 'voucher_used';
      this.broken = true;
      return 'storage_full';
    }
    await this.#read();
    return one;
  }

  /** The cashier has seen what came of them. */
  async seen(): Promise<void> {
    for (const one of this.news) await taken.put(one.id, { ...one, seen: true });
    await this.#read();
  }

  async #beat(): Promise<void> {
    let up = false;
    try {
      await agent.up();
      up = true;
    } catch (error) {
      up = error instanceof ProblemError && error.problem.code !== 'platform_unreachable';
    }
    this.now = Date.now();
    if (!up) {
      this.since ??= this.now;
      return;
    }
    this.since = undefined;
    if (performance.now() - this.#kitAsked_ms >= kit_ms) await this.#refreshKit();
    if (this.waiting.length > 0) await this.#handIn();
  }

  async #refreshKit(): Promise<void> {
    try {
      const kit = await agent.voucherKit();
      this.#kitAsked_ms = performance.now();
      this.kit = kit;
      await known.put('kit', kit);
    } catch {
      // The one that is kept holds as long as the rules say.
    }
  }

  /** One after the other, each under the key that is its own: asking again is the same request. */
  async #handIn(): Promise<void> {
    for (const one of this.waiting) {
      try {
        await agent.handIn({ text: one.text, amount_minor: one.amount_minor, taken_at: one.taken_at }, one.id);
        await taken.put(one.id, { ...one, outcome: 'paid' });
      } catch (error) {
        if (error instanceof NoAnswerError || later.has(codeOf(error))) break;
        await taken.put(one.id, { ...one, outcome: codeOf(error) });
      }
    }
    await this.#read();
  }

  async #read(): Promise<void> {
    const all = await taken.all();
    for (const one of all.filter(({ seen, expires_at }) => seen && Date.now() >= expires_at)) await taken.delete(one.id);
    this.taken = all.filter(({ seen, expires_at }) => !seen || Date.now() < expires_at).sort((one, two) => two.taken_at - one.taken_at);
  }
}
