import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { colours, spaces, texts } from './tokens';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('every component is on the page', () => {
  const page = read('./Components.svelte');
  const components = readdirSync(new URL('../ui', import.meta.url)).filter((name) => name.endsWith('.svelte'));
  expect(components.length).toBeGreaterThan(10);
  expect(components.filter((name) => !page.includes(`<${name.replace('.svelte', '')}`))).toEqual([]);
});

test('every colour, space and size of text is on the page', () => {
  const [light = ''] = read('../ui/tokens.css').split('@media');
  const tokens = [...light.matchAll(/^ {2}(--[\w-]+): (.+);$/gm)].map(([, name, value]) => ({ name: name!, value: value! }));
  const shown: readonly string[] = [...colours, ...spaces, ...texts];
  const wanted = tokens.filter(({ name, value }) => value.startsWith('#') || name.startsWith('--space') || (name.startsWith('--text') && !value.includes('clamp')));
  expect(wanted.map(({ name }) => name).filter((name) => !shown.includes(name))).toEqual([]);
  expect(shown.filter((name) => !tokens.some((token) => token.name === name))).toEqual([]);
});
