import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess(),
  // Runes everywhere: no component falls back to the older reactivity.
  compilerOptions: { runes: true },
};
