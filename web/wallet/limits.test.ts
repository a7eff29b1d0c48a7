import { expect, test } from 'vitest';
import { asked, askedOf, choicesOf, chosenOf, safe } from './limits';

test('whoever has set nothing is offered the safe limits', () => {
  expect(chosenOf({})).toEqual(safe);
  expect(chosenOf({ night_max_minor: 30_000 })).toEqual({ payment_max_minor: 'none', day_max_minor: 'none', night_max_minor: '30000' });
});

test('what stands is among the choices, in its place', () => {
  expect(choicesOf('payment_max_minor', { payment_max_minor: 12_345 })).toEqual(['5000', '12345', '20000', '50000', '100000', 'none']);
  expect(choicesOf('night_max_minor', {})).toEqual(['0', '10000', '30000', 'none']);
});

test('no limit is left out, and nothing at night is not no limit', () => {
  expect(asked({ payment_max_minor: 'none', day_max_minor: '50000', night_max_minor: '0' }, 'by_rule')).toEqual({ day_max_minor: 50_000, night_max_minor: 0 });
});

test('the passcode always is a limit that stands, and saving keeps it', () => {
  const standing = { passcode_always: true };
  expect(chosenOf(standing)).toEqual(safe);
  expect(asked({ payment_max_minor: 'none', day_max_minor: 'none', night_max_minor: 'none' }, askedOf(standing))).toEqual(standing);
  expect(askedOf({})).toBe('by_rule');
});
