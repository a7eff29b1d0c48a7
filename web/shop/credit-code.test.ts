import { expect, test } from 'vitest';
import { isCreditCode } from './credit-code';

test('the check character is the last one', () => {
  for (const code of ['91350100M000100Y43', '91110000802100433B']) expect(isCreditCode(code)).toBe(true);
  for (const code of ['', '91350100M000100Y44', '91350100m000100y43', '91350100M000100Y4', '9135O100M000100Y43']) expect(isCreditCode(code)).toBe(false);
});
