import { expect, test } from 'vitest';
import { afterKey, keypad_minor_max, money, signedMoney, typedMinor, typedText } from './format';

test.each([
  [3650, 'en', '¥36.50'],
  [3650, 'zh-CN', '¥36.50'],
  [123456789, 'en', '¥1,234,567.89'],
  [0, 'zh-CN', '¥0.00'],
])('%d fen in %s', (minor, tag, text) => expect(money(minor, tag)).toBe(text));

test.each([
  [10000, '+¥100.00'],
  [-3650, '-¥36.50'],
])('%d fen with its sign', (minor, text) => expect(signedMoney(minor, 'en')).toBe(text));

test.each([
  ['36.5', 3650],
  ['36', 3600],
  ['36.', 3600],
  [' 0.01 ', 1],
  ['0.00', undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.234', undefined],
  ['1e3', undefined],
  ['12345678', undefined],
])('typed %j', (text, minor) => expect(typedMinor(text)).toBe(minor));

test.each([1, 99, 100, 3650, 1234567])('%d fen survive being typed', (minor) => expect(typedMinor(typedText(minor))).toBe(minor));

test.each([
  [['3', '6', '5', '0'], 3650],
  [['1', '00'], 100],
  [['1', '2', 'back'], 1],
  [['back'], 0],
  [['7', 'clear'], 0],
  [Array(12).fill('9'), keypad_minor_max],
] as [string[], number][])('keys %j', (keys, minor) => expect(keys.reduce(afterKey, 0)).toBe(minor));
