import { expect, test } from 'vitest';
import type { LookAdvice } from '../api/types';
import { look, type LookPlan, type LookWorld } from './look';

const good: LookAdvice = { good: true, liveness: 0.99 };
const dark: LookAdvice = { good: false, reason: 'too_dark' };
const several: LookAdvice = { good: false, reason: 'several_faces' };
const till: LookPlan = { frames: 3, spacing_ms: 10, everyFrameAdvised: false, patience_ms: 100 };
const enrol: LookPlan = { ...till, everyFrameAdvised: true };

/** A camera whose n-th frame gets the n-th advice, the last one again and again. Every frame takes 10 ms. */
function world(advices: LookAdvice[], stopAfter = Infinity) {
  let clock_ms = 0;
  let asked = 0;
  const seen: number[] = [];
  const parts: LookWorld = {
    frame: async () => {
      clock_ms += 10;
      return new Blob([String(clock_ms)]);
    },
    advise: async () => advices[Math.min(asked++, advices.length - 1)]!,
    wait: async (ms) => void (clock_ms += ms),
    now_ms: () => clock_ms,
    stopped: () => asked >= stopAfter,
    progress: (taken) => void seen.push(taken),
  };
  return { parts, seen, asked: () => asked };
}

test.each([
  ['a burst after the first good frame', till, [dark, good], Infinity, 'frames 3', [0, 1]],
  ['every frame advised at enrolment', enrol, [good, dark, good, good], Infinity, 'frames 3', [1, 1, 2, 3]],
  ['patience ends with the last reason', till, [dark, several], Infinity, 'refused several_faces', undefined],
  ['advice without a reason counts as nobody there', till, [{ good: false }], Infinity, 'refused no_face', undefined],
  ['leaving the screen ends the look', till, [dark], 2, 'stopped', undefined],
  ['leaving beats a good frame', till, [dark, good], 2, 'stopped', undefined],
] as const)('%s', async (_name, plan, advices, stopAfter, expected, progress) => {
  const { parts, seen } = world([...advices], stopAfter);
  const result = await look(plan, parts);
  const said =
    result.kind === 'frames' ? `frames ${result.frames.length}` : result.kind === 'refused' ? `refused ${result.code}` : 'stopped';
  expect(said).toBe(expected);
  if (progress) expect(seen).toEqual(progress);
});
