// Vouchers on this phone: the only thing of the account that is kept here without network.

import type { Timestamp, Vouchers } from '../api/types';
import { Kept } from '../ui/kept';

export interface KeptVoucher {
  id: string;
  account: string;
  /** What is shown at the till. */
  text: string;
  most_minor: number;
  expires_at: Timestamp;
  shop: string;
}

const kept = new Kept<KeptVoucher>('handsel-wallet', ['vouchers'], 'vouchers');

/** Those whose time is not over, the first to end first. A browser that keeps nothing has none. */
export async function keptVouchers(now: Timestamp): Promise<KeptVoucher[]> {
  const all = await kept.all().catch(() => []);
  return all.filter(({ expires_at }) => expires_at > now).sort((one, two) => one.expires_at - two.expires_at || (one.id < two.id ? -1 : 1));
}

/** Keeps these and no others. */
export async function keepVouchers(vouchers: readonly KeptVoucher[]): Promise<void> {
  await kept.clear();
  for (const voucher of vouchers) await kept.put(voucher.id, voucher);
}

/** What an answer of the platform gives this phone to keep. */
export function toKeep(answer: Vouchers, account: string): KeptVoucher[] {
  return answer.vouchers.flatMap(({ id, text, most_minor, expires_at, merchant_name, store_name }) =>
    text === undefined ? [] : [{ id, account, text, most_minor, expires_at, shop: `${merchant_name}, ${store_name}` }],
  );
}
