// The tests that docs/bad-input.md names exist, and so do its codes and sentences.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { problems } from '../ui/problems';
import { isCode } from './problem';

const root = resolve(import.meta.dirname, '../..');
const text = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => readFileSync(join(root, folder, path), 'utf8'))
    .join('\n');

const rust = text('crates', '.rs');
const browser = text('web/e2e', '.mjs');
const rows = readFileSync(join(root, 'docs/bad-input.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.slice(2, -2).split(' | ') as [string, string, string, string, string]);

/** What stands between two marks, each time. */
const marked = (cell: string, mark: string) => [...cell.matchAll(new RegExp(`\\${mark}([^\\${mark}]+)\\${mark}`, 'g'))].map(([, name]) => name ?? '');

test('there is a row for every bad input', () => {
  expect(rows).toHaveLength(19);
});

test.each(rows)('%s', (_, __, codes, screen, tests) => {
  const functions = marked(tests, '`');
  const steps = marked(tests, '*');
  expect(functions.filter((name) => !rust.includes(`fn ${name}(`))).toEqual([]);
  expect(steps.filter((name) => !browser.includes(`step('${name}'`))).toEqual([]);
  expect(functions.length).toBeGreaterThan(0);
  expect(steps.length).toBeGreaterThan(0);
  const named = marked(codes, '`').filter(isCode);
  expect(named).toHaveLength(marked(codes, '`').length);
  const sentences = named.map((code) => `${problems.en[code].title} ${problems.en[code].remedy}`);
  if (!screen.startsWith('Being checked')) expect(sentences).toContain(screen);
});
