// The page as an installed app: its files are kept by a service worker (app.ts), so that it opens without network.

export function install(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // Without one the page works as it did, while there is a network.
  navigator.serviceWorker.register('./service-worker.js', { scope: './' }).catch(() => undefined);
}
