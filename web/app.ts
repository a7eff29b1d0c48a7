// What makes a built page an installed app: its manifest, its service worker with the list of its files, and the budget of its
// first load.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

type Files = Record<string, Rolldown.OutputAsset | Rolldown.OutputChunk>;

/** `name` is what the device shows under the icon. */
export function app(page: string, name: string): Plugin {
  const worker = readFileSync(fileURLToPath(new URL('./service-worker.js', import.meta.url)), 'utf8');
  return {
    name: 'app',
    apply: 'build',
    transformIndexHtml: () => [{ tag: 'link', attrs: { rel: 'manifest', href: './manifest.webmanifest' }, injectTo: 'head' }],
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const icon = Object.keys(bundle).find((file) => file.endsWith('.svg'));
        const manifest = {
          name: `Handsel · ${name}`,
          short_name: name,
          start_url: './',
          scope: './',
          display: 'standalone',
          background_color: '#ffffff',
          theme_color: '#ffffff',
          icons: icon ? [{ src: `./${icon}`, sizes: 'any', type: 'image/svg+xml', purpose: 'any' }] : [],
        };
        this.emitFile({ type: 'asset', fileName: 'manifest.webmanifest', source: JSON.stringify(manifest) });
        const files = Object.keys(bundle).filter((file) => file !== 'index.html').sort();
        const contents = createHash('sha256');
        for (const file of [...files, 'index.html']) {
          const part = bundle[file];
          contents.update(file).update(part === undefined ? '' : part.type === 'chunk' ? part.code : part.source);
        }
        const version = `handsel-${page}-${contents.digest('hex').slice(0, 16)}`;
        const list = ['./', './manifest.webmanifest', ...files.filter((file) => file !== 'manifest.webmanifest').map((file) => `./${file}`)];
        const source = `const VERSION = ${JSON.stringify(version)};\nconst FILES = ${JSON.stringify(list)};\n${worker}`;
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
      },
    },
  };
}

/** Compressed bytes of script of the first load, and of what is loaded when it is needed. */
export function scriptBytes(files: Files): { first: number; later: number } {
  const chunks = Object.values(files).filter((file) => file.type === 'chunk');
  const needed = new Set<string>();
  const need = (name: string) => {
    if (needed.has(name)) return;
    needed.add(name);
    chunks.find(({ fileName }) => fileName === name)?.imports.forEach(need);
  };
  chunks.filter(({ isEntry }) => isEntry).forEach(({ fileName }) => need(fileName));
  const bytes = (which: typeof chunks) => which.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  return { first: bytes(chunks.filter(({ fileName }) => needed.has(fileName))), later: bytes(chunks.filter(({ fileName }) => !needed.has(fileName))) };
}
