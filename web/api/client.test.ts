import { afterEach, expect, test, vi } from 'vitest';
import { call, serverNow } from './client';

afterEach(() => vi.unstubAllGlobals());

const answerAt = (date: string | undefined) =>
  vi.stubGlobal('fetch', async () => new Response('{}', { headers: date === undefined ? {} : { date } }));

test.each([
  ['a clock that is five minutes slow is put right', 300_000, 300_000],
  ['one that is an hour fast too', -3_600_000, -3_600_000],
  ['a second is left alone', 1_000, 0],
])('%s', async (_, ahead_ms, expected_ms) => {
  answerAt(new Date(Date.now() + ahead_ms).toUTCString());
  await call('/v1/me');
  expect(Math.abs(serverNow() - Date.now() - expected_ms)).toBeLessThanOrEqual(1_000);
});

test('an answer without a date leaves the clock to the phone', async () => {
  answerAt(undefined);
  await call('/v1/me');
  expect(Math.abs(serverNow() - Date.now())).toBeLessThanOrEqual(50);
});
