// The types are written by hand, so this compares them with the Rust files they mirror.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codes } from './problem';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const apiRust = read('../../crates/wire/src/api.rs');
const partyRust = read('../../crates/wire/src/party.rs');
const receiptRust = read('../../crates/wire/src/receipt.rs');
const problemRust = read('../../crates/wire/src/problem.rs');
const typescript = read('./types.ts');

/** Field name → whether it may be absent, of every public struct. */
function rustStructs(source: string): Map<string, Map<string, boolean>> {
  const structs = new Map<string, Map<string, boolean>>();
  for (const [, name, body] of source.matchAll(/pub struct (\w+)(?:<\w+>)? \{\n([\s\S]*?)\n\}/g)) {
    const fields = new Map<string, boolean>();
    for (const [, field, type] of body!.matchAll(/^ {4}pub (\w+): (.+),$/gm)) fields.set(field!, type!.startsWith('Option<'));
    structs.set(name!, fields);
  }
  return structs;
}

function typescriptInterfaces(source: string): Map<string, Map<string, boolean>> {
  const interfaces = new Map<string, Map<string, boolean>>();
  for (const [, name, body] of source.matchAll(/export interface (\w+)(?:<\w+>)?(?: extends \w+)? \{\n([\s\S]*?)\n\}/g)) {
    const fields = new Map<string, boolean>();
    for (const [, field, mark] of body!.matchAll(/^ {2}(\w+)(\??): /gm)) fields.set(field!, mark === '?');
    interfaces.set(name!, fields);
  }
  return interfaces;
}

const snake = (name: string) => name.replace(/(?<!^)([A-Z])/g, '_$1').toLowerCase();

const mirrored = typescriptInterfaces(typescript);
const structs = rustStructs(apiRust);
structs.set('DeletionConfirmation', rustStructs(partyRust).get('DeletionConfirmation')!);
structs.set('DeletionReceipt', rustStructs(receiptRust).get('DeletionReceipt')!);

test.each([...structs.keys()])('%s has the same fields', (name) => {
  expect(mirrored.get(name)).toEqual(structs.get(name));
});

test.each([...apiRust.matchAll(/rename_all = "snake_case"\)\]\npub enum (\w+) \{\n([\s\S]*?)\n\}/g)].map(([, name, body]) => [name!, body!]))(
  '%s has the same variants',
  (name, body) => {
    const variants = [...body.matchAll(/^ {4}(\w+),$/gm)].map(([, variant]) => snake(variant!));
    const union = new RegExp(`export type ${name} =([\\s\\S]*?);`).exec(typescript)?.[1] ?? '';
    expect([...union.matchAll(/'(\w+)'/g)].map(([, variant]) => variant)).toEqual(variants);
  },
);

test('the codes are the same, in the same order', () => {
  const rust = [...problemRust.matchAll(/^ {4}\w+, "(\w+)", \d+, /gm)].map(([, code]) => code);
  expect(rust.length).toBeGreaterThan(40);
  expect([...codes]).toEqual(rust);
});
