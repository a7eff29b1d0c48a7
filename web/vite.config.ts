// One page per mode: `till` is served by the till's agent at `/`, `wallet`, `shop` and `service` by the platform at their names;
// `components` is for developers and served by nobody. All use a relative base, so that none has to know where it is mounted.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { app, scriptBytes } from './app.ts';

const pages = ['till', 'wallet', 'shop', 'service', 'components'] as const;
type Page = (typeof pages)[number];

// The wallet hands its frames to the capture agent on the shopper's own machine; the till talks to its own origin only.
const connectSources: Record<Page, string> = {
  till: "'self'",
  wallet: "'self' http://localhost:* http://127.0.0.1:*",
  shop: "'self'",
  service: "'self'",
  components: "'none'",
};

/** Most bytes of script that the first load of a page may take, compressed by gzip. */
const script_bytes_max: Record<Page, number> = { till: 60_000, wallet: 120_000, shop: 120_000, service: 60_000, components: 60_000 };

export default defineConfig(({ mode }) => {
  const page = pages.find((name) => name === mode) ?? 'till';
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  return {
    root: mode === 'test' ? here('.') : here(`./${page}`),
    base: './',
    plugins: [svelte({ configFile: here('./svelte.config.js') }), contentSecurityPolicy(page), ...installed(page), budget(page)],
    build: {
      outDir: here(`./dist/${page}`),
      emptyOutDir: true,
      target: 'es2022',
      // Inlined files would become data: addresses, which the policy refuses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    test: { environment: 'node', include: ['{api,ui,till,wallet,shop,service,components}/**/*.test.ts'] },
  };
});

/** The pages that open without network. The console has nothing to do there. */
function installed(page: Page): Plugin[] {
  if (page === 'till') return [app(page, 'Till')];
  return page === 'wallet' ? [app(page, 'Wallet')] : [];
}

/** Writes the policy into the built page, so that it holds whatever headers the server sends. */
function contentSecurityPolicy(page: Page): Plugin {
  const policy = [
    "default-src 'self'",
    `connect-src ${connectSources[page]}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    ],
  };
}

/** Says how much script the first load of a page takes, and fails the build when it is more than it may be. */
function budget(page: Page): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    writeBundle(_, files) {
      const { first: bytes, later } = scriptBytes(files);
      const more = later > 0 ? `, and ${(later / 1000).toFixed(1)} kB when they are needed` : '';
      const sentence = `${page}: ${(bytes / 1000).toFixed(1)} kB of script, compressed, of at most ${script_bytes_max[page] / 1000} kB${more}`;
      if (bytes > script_bytes_max[page]) this.error(`too much script: ${sentence}`);
      console.log(sentence);
    },
  };
}
