import { expect, test } from 'vitest';
import { NoAnswerError, ProblemError } from '../api/problem';
import { Attempt } from './attempt.svelte';

const refusal = new ProblemError({ type: '', title: '', status: 403, code: 'passcode_wrong', remedy: '', attempts_left: 2 });
const lost = new NoAnswerError('no answer');

/** Runs the outcomes one after the other, each with its content, and says which keys were used. */
async function keysOf(attempt: Attempt, outcomes: [content: string, error: Error | undefined][]): Promise<string[]> {
  const keys: string[] = [];
  for (const [content, error] of outcomes) {
    await attempt.run(async (key) => {
      keys.push(key);
      if (error) throw error;
    }, content);
  }
  return keys;
}

test('after a lost answer the same is asked under the same key', async () => {
  const [first, second, third] = await keysOf(new Attempt(), [['a', lost], ['a', lost], ['a', undefined]]);
  expect([second, third]).toEqual([first, first]);
});

test.each([
  ['after success', [['a', undefined], ['a', undefined]]],
  ['after a refusal', [['a', refusal], ['a', undefined]]],
  ['for something else', [['a', lost], ['b', undefined]]],
] as [string, [string, Error | undefined][]][])('another key %s', async (_, outcomes) => {
  const [first, second] = await keysOf(new Attempt(), outcomes);
  expect(second).not.toBe(first);
});

test('a refusal is kept until the next try, with the tries that are left', async () => {
  const attempt = new Attempt();
  expect(await attempt.run(() => Promise.reject(refusal))).toBe(false);
  expect([attempt.failure, attempt.attemptsLeft, attempt.busy]).toEqual(['passcode_wrong', 2, false]);
  expect(await attempt.run(async () => {})).toBe(true);
  expect([attempt.failure, attempt.attemptsLeft]).toEqual([undefined, undefined]);
});

test('a second press while the first is under way does nothing', async () => {
  const attempt = new Attempt();
  let finish = () => {};
  const first = attempt.run(() => new Promise<void>((resolve) => (finish = resolve)));
  expect(await attempt.run(async () => {})).toBe(false);
  finish();
  expect(await first).toBe(true);
});
