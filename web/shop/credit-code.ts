// Unified social credit codes, checked while they are typed; the platform checks them again.

const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/** Whether the last of 18 characters is the check character of those before it (GB 32100-2015). */
export function isCreditCode(text: string): boolean {
  const values = [...text].map((letter) => alphabet.indexOf(letter));
  if (values.length !== 18 || values.includes(-1)) return false;
  const sum = weights.reduce((sum, weight, at) => sum + weight * values[at]!, 0);
  return values[17] === (31 - (sum % 31)) % 31;
}
