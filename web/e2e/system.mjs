// The system under test: the one that runs at HANDSEL_TILL_URL and HANDSEL_WALLET_URL, or a fresh one on free ports.

import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** The first start makes keys and loads models; on two busy cores that is slow. */
const start_ms_max = 120_000;

/**
 * `{ tillUrl, walletUrl, shopUrl, folder, binary, processOf, admin, stop }`. `root` is the repository, `folder` an empty one for keys and books;
 * with `numbers` always a fresh one, with these in its rules; `processOf('party2')` is the process of one part, or undefined while it is not running;
 * `admin` is what operators do by hand.
 */
export async function startSystem(root, folder, numbers) {
  const { HANDSEL_TILL_URL: tillUrl, HANDSEL_WALLET_URL: walletUrl } = process.env;
  if (tillUrl && walletUrl && !numbers) {
    const elsewhere = () => {
      throw new Error('a system that was started elsewhere has no processes and no store here; run this step without HANDSEL_TILL_URL.');
    };
    return { tillUrl, walletUrl, processOf: elsewhere, admin: elsewhere, stop: async () => {} };
  }
  const binary = process.env.HANDSEL_BINARY ?? join(root, 'target/debug/handsel');
  if (!existsSync(binary)) throw new Error(`${binary} is missing: build it with \`make build\`, or set HANDSEL_TILL_URL and HANDSEL_WALLET_URL.`);
  // Parts are started again from the same file: a build during the test must not take it away.
  const own = join(dirname(folder), 'handsel');
  copyFileSync(binary, own);
  // The fund is filled by the steps that need it.
  // Who is new pays little for a day, and everybody little by night; the journeys have no day, and a night like any other hour.
  // What holds in them, the tests of crates/payments say.
  const rules = rulesWith(root, `${folder}-rules.toml`, { cooling_off_s: 0, night_max_minor: 10_000_000, ...numbers });
  const child = spawn(own, ['up', '--dir', folder, '--ephemeral-ports', '--rules', rules, '--compensation-fund', '0', '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  /** `command` may be several words; the rules are those that the store has judged by. */
  const admin = (command, ...options) => {
    const store = `sqlite:${join(folder, 'platform/handsel.sqlite')}`;
    return execFileSync(own, ['admin', ...command.split(' '), '--store', store, '--rules', rules, ...options], { cwd: root, encoding: 'utf8' });
  };
  try {
    const { till_url, wallet_url, shop_url } = await firstLine(child, ended);
    return { tillUrl: till_url, walletUrl: wallet_url, shopUrl: shop_url, folder, binary: own, processOf: (part) => processWith(join(folder, part, 'node.toml')), admin, stop };
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  }
}

/** The committed rules with other numbers under these names, as a file. */
function rulesWith(root, file, numbers) {
  const text = Object.entries(numbers).reduce((rules, [name, number]) => {
    const line = new RegExp(`^${name} = .*$`, 'm');
    if (!line.test(rules)) throw new Error(`the rules have no ${name}`);
    return rules.replace(line, `${name} = ${number}`);
  }, readFileSync(join(root, 'rules/cn.toml'), 'utf8'));
  writeFileSync(file, text);
  return file;
}

/** The process that was started with this configuration file, by what the kernel says (proc(5)). */
function processWith(configuration) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parts = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (parts.includes(configuration)) return Number(pid);
    } catch {
      // It ended between the two questions.
    }
  }
  return undefined;
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
