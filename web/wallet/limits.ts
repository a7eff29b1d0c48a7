// What the limits page offers: pure, tested in limits.test.ts.

import type { NewLimits, StandingLimits } from '../api/types';

export type LimitName = Exclude<keyof StandingLimits, 'passcode_always'>;
/** A sum in minor units as the value of a choice, or that the owner sets none. */
export type Choice = `${number}` | 'none';
/** When the till asks for the passcode. */
export type Asked = 'always' | 'by_rule';

export const limitNames = ['payment_max_minor', 'day_max_minor', 'night_max_minor'] as const satisfies readonly LimitName[];

/** Offered sums in minor units. */
const offered: Record<LimitName, readonly number[]> = {
  payment_max_minor: [5_000, 20_000, 50_000, 100_000],
  day_max_minor: [20_000, 50_000, 100_000, 200_000],
  night_max_minor: [0, 10_000, 30_000],
};

/** What is proposed to somebody who has set nothing: the smallest that leaves everyday shopping possible. */
export const safe: Record<LimitName, Choice> = { payment_max_minor: '20000', day_max_minor: '50000', night_max_minor: '0' };

/** The choices for one limit, with what stands among them, ascending, "none" last. */
export function choicesOf(name: LimitName, standing: StandingLimits): Choice[] {
  const own = standing[name];
  const sums = new Set([...offered[name], ...(own === undefined ? [] : [own])]);
  return [...[...sums].sort((one, two) => one - two).map((sum): Choice => `${sum}`), 'none'];
}

/** What stands, as choices; the safe ones while the owner has set none. */
export function chosenOf(standing: StandingLimits): Record<LimitName, Choice> {
  if (limitNames.every((name) => standing[name] === undefined)) return { ...safe };
  const choice = (minor: number | undefined): Choice => (minor === undefined ? 'none' : `${minor}`);
  return {
    payment_max_minor: choice(standing.payment_max_minor),
    day_max_minor: choice(standing.day_max_minor),
    night_max_minor: choice(standing.night_max_minor),
  };
}

/** What stands about the passcode. */
export const askedOf = ({ passcode_always }: StandingLimits): Asked => (passcode_always ? 'always' : 'by_rule');

/** The choices as the platform takes them. */
export function asked(choices: Record<LimitName, Choice>, passcode: Asked): NewLimits {
  const limits: NewLimits = passcode === 'always' ? { passcode_always: true } : {};
  for (const name of limitNames) if (choices[name] !== 'none') limits[name] = Number(choices[name]);
  return limits;
}

/** Whether anything would be looser than what stands; the owner's devices must approve that. */
export function raises(standing: StandingLimits, wanted: NewLimits): boolean {
  if (standing.passcode_always && !wanted.passcode_always) return true;
  return limitNames.some((name) => standing[name] !== undefined && (wanted[name] ?? Infinity) > standing[name]);
}
