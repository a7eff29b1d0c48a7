import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isName, isPasscode, isPhone } from './checks';
import { sha256Hex } from './hash';
import { viewOf } from './views';

test.each([
  ['', 'home'],
  ['#/', 'home'],
  ['#/activity', 'activity'],
  ['#/top-up', 'top-up'],
  ['#/nowhere', 'home'],
  ['#/deletion', 'home'],
  ['#/deletion/enr_00000000000000000000000001', 'deletion enr_00000000000000000000000001'],
  ['#/deletion/%3Cscript%3E', 'home'],
  ['#/receipt/pay_1', 'receipt pay_1'],
  ['#/limits', 'limits'],
])('address %j', (hash, expected) => {
  const view = viewOf(hash);
  expect('id' in view ? `${view.name} ${view.id}` : view.name).toBe(expected);
});

test.each([
  [isPhone, '13800138000', true],
  [isPhone, '23800138000', false],
  [isPhone, '1380013800', false],
  [isPasscode, '804739', true],
  [isPasscode, '80473', false],
  [isPasscode, '80473a', false],
  [isName, '王小明', true],
  [isName, '   ', false],
  [isName, '𠮷'.repeat(64), true],
  [isName, 'a'.repeat(65), false],
])('%o of %j', (check, text, expected) => expect(check(text)).toBe(expected));

test('SHA-256 of a text (FIPS 180-4 example, and UTF-8)', async () => {
  expect(await sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(await sha256Hex('脸')).toBe(createHash('sha256').update('脸', 'utf8').digest('hex'));
});
