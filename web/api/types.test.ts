// What the pages take for granted of the servers, compared with what the servers say of themselves.
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
// @ts-expect-error The generator is plain JavaScript, so that node runs it before anything is built.
import { generate } from './generate.mjs';
import { operations } from './schema';
import { service } from './service';
import { wallet } from './wallet';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the generated types are those of openapi/api.json', () => {
  expect(read('./schema.ts')).toBe(generate(JSON.parse(read('../../openapi/api.json'))));
});

test('a keyword that the generator does not know stops it', () => {
  const api = { components: { schemas: { Odd: { type: 'object', patternProperties: {} } } }, paths: {} };
  expect(() => generate(api)).toThrow('patternProperties');
});

afterEach(() => vi.unstubAllGlobals());

test.each([...Object.entries(wallet), ...Object.entries(service)])('the platform has what %s of wallet and desk asks for', async (_, ask) => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string, { method }: RequestInit) => {
    asked.push(`${method} ${url}`);
    return new Response('{}');
  });
  await (ask as (...given: string[]) => Promise<unknown>)('en', 'some_key');
  const [method, path = ''] = asked[0]!.replace(/\?.*/, '').split(' ');
  const fits = operations.filter((operation) => new RegExp(`^${operation.replace(/\{\w+\}/g, '[^/]+')}$`).test(`${method} ${path}`));
  expect(fits).toHaveLength(1);
});

test('LookAdvice has the fields of crates/wire/src/api.rs', () => {
  const rust = /pub struct LookAdvice \{\n([\s\S]*?)\n\}/.exec(read('../../crates/wire/src/api.rs'))?.[1] ?? '';
  const typescript = /interface LookAdvice \{\n([\s\S]*?)\n\}/.exec(read('./types.ts'))?.[1] ?? '';
  const fields = [...rust.matchAll(/^ {4}pub (\w+): (.+),$/gm)].map(([, name, type]) => `${name}${type!.startsWith('Option<') ? '?' : ''}`);
  expect(fields.length).toBeGreaterThan(0);
  expect([...typescript.matchAll(/^ {2}(\w+\??): /gm)].map(([, field]) => field)).toEqual(fields);
});
