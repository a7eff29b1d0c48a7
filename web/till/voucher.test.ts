import { expect, test } from 'vitest';
import { codeOfVoucher, isStale, readVoucher, refusalOf } from './voucher';

/** The same as in crates/payments/src/voucher/tests.rs, where the platform's own code signs it. */
const key = '9075187abee91973b0bc8ff502230267a15abc25bca72318036009e6a9e76900';
const text =
  '0180F116D8000000000000000000000000000000070000000000000000000000000000000900001388434E5901A17720CA00' +
  '007585B88AAA716D45A4D9FB0D62C00F7EF2EBBBA70E6A2C2813757230ECB7A4099EA12F4C6D9D1F2E686E681ED9EE22BEE18FB9308C2A7A1C14D9A8099DFF07';
const voucher = { id: 'vch_00000000000000000000000007', store: 'sto_00000000000000000000000009', most_minor: 5_000, expires_at: 1_793_000_000_000 };
const kit = { store: voucher.store, public_key: key, voucher_max_minor: 5_000, day_max_minor: 15_000, list_age_max_s: 10, stopped: [] as string[], at: 1_000 };

test('what the platform signed is read, in either case and with what a scanner adds', async () => {
  expect(await readVoucher(text, key)).toEqual(voucher);
  expect(await readVoucher(`${text.toLowerCase()}\n`, key)).toEqual(voucher);
  expect(codeOfVoucher(voucher.id)).toBe('000007');
});

test('any other digit, length or key is no voucher', async () => {
  for (const at of [0, 1, 3, 20, 50, 80, 99, 100, 150, 227]) {
    const changed = text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
    expect(await readVoucher(changed, key), `digit ${at}`).toBeUndefined();
  }
  expect(await readVoucher(text.slice(2), key)).toBeUndefined();
  expect(await readVoucher('https://example.org', key)).toBeUndefined();
  expect(await readVoucher(text, key.replace('90', '91'))).toBeUndefined();
});

test.each([
  ['good', voucher, 5_000, kit, false, 2_000, undefined],
  ['more than it is worth', { ...voucher, most_minor: 100 }, 101, kit, false, 2_000, 'voucher_exceeded'],
  ['more than the rules allow', { ...voucher, most_minor: 9_000 }, 5_001, kit, false, 2_000, 'voucher_exceeded'],
  ['another store', { ...voucher, store: 'sto_00000000000000000000000008' }, 1, kit, false, 2_000, 'voucher_invalid'],
  ['its time is over', voucher, 1, kit, false, voucher.expires_at, 'voucher_expired'],
  ['stopped', voucher, 1, { ...kit, stopped: [voucher.id] }, false, 2_000, 'voucher_stopped'],
  ['taken here', voucher, 1, kit, true, 2_000, 'voucher_used'],
] as const)('%s', (_, shown, amount_minor, known, takenHere, now, expected) => {
  expect(refusalOf(shown, amount_minor, known, takenHere, now)).toBe(expected);
});

test('a list is good for as long as the rules say', () => {
  expect(isStale(kit, 11_000)).toBe(false);
  expect(isStale(kit, 11_001)).toBe(true);
});
