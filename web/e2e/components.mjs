// The developers' page of components: the same checks as on every screen, in both languages, both schemes and twice the size.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const folder = new URL('../dist/components', import.meta.url).pathname;
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

export async function componentsJourney({ say, step, screen, open }) {
  const server = createServer(({ url }, answer) => {
    const path = join(folder, normalize(url === '/' ? '/index.html' : url));
    try {
      answer.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(path));
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await open('components', { width: 820, height: 1100 }, `http://127.0.0.1:${server.address().port}/`);
  try {
    await step('every component stands on one page, with its states', async () => {
      await page.getByRole('button', { name: say('Try something that is refused', '试一次会被拒绝的操作') }).click();
      await page.getByText(say('Try again. 4 tries are left.', /还可以尝试 4 次。/)).waitFor();
      await screen(page, 'components');
    }, page);

    await step('the components fit a phone at 200 % text', async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.evaluate(() => void (document.documentElement.style.fontSize = '200%'));
      await screen(page, 'components-large');
    }, page);
  } finally {
    await page.context().close();
    server.close();
  }
}
