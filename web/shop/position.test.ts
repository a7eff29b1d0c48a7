import { expect, test } from 'vitest';
import { positionOf, positionText } from './position';

test('a position is latitude and longitude in degrees', () => {
  expect(positionOf('31.2304, 121.4737')).toEqual({ latitude_e6: 31_230_400, longitude_e6: 121_473_700 });
  expect(positionOf('-90，180')).toEqual({ latitude_e6: -90_000_000, longitude_e6: 180_000_000 });
  for (const text of ['', '31', '91,0', '0,181', 'a,b', '31.2304 121.4737']) expect(positionOf(text)).toBeUndefined();
  expect(positionText({ latitude_e6: 31_230_400, longitude_e6: 121_473_700 })).toBe('31.2304, 121.4737');
});
