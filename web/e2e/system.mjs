// The system under test: the one that runs at HANDSEL_TILL_URL and HANDSEL_WALLET_URL, or a fresh one on free ports.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The first start makes keys and loads models; on two busy cores that is slow. */
const start_ms_max = 120_000;

/** `{ tillUrl, walletUrl, stop }`. `root` is the repository, `folder` an empty one for keys and books. */
export async function startSystem(root, folder) {
  const { HANDSEL_TILL_URL: tillUrl, HANDSEL_WALLET_URL: walletUrl } = process.env;
  if (tillUrl && walletUrl) return { tillUrl, walletUrl, stop: async () => {} };
  const binary = process.env.HANDSEL_BINARY ?? join(root, 'target/debug/handsel');
  if (!existsSync(binary)) throw new Error(`${binary} is missing: build it with \`make build\`, or set HANDSEL_TILL_URL and HANDSEL_WALLET_URL.`);
  const child = spawn(binary, ['up', '--dir', folder, '--ephemeral-ports', '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const { till_url, wallet_url } = await firstLine(child, ended);
    return { tillUrl: till_url, walletUrl: wallet_url, stop };
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  }
}

function firstLine(child, ended) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('handsel up did not get ready in time.')), start_ms_max);
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
    void ended.then((code) => {
      clearTimeout(timer);
      reject(new Error(`handsel up ended with status ${code} before it was ready.`));
    });
  });
}
