// The whole path in a real browser: one person enrols, pays, is refunded, pauses and deletes; another is refused. Every
// journey runs once in English (light) and once in Chinese (dark). Pictures of all screens go to e2e/artefacts.

import { mkdtempSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Harness } from './harness.mjs';
import { digitsJourney, lockJourney, outageJourney, payJourney, refusalJourney, refundJourney, sizeJourney } from './till.mjs';
import { notMeJourney, undoJourney, undoOverJourney } from './money.mjs';
import { closeJourney, exportJourney, helperJourney, largeTextJourney, limitsJourney, safetyJourney } from './owner.mjs';
import { componentsJourney } from './components.mjs';
import { approveJourney, deviceJourney, giveDevice, lostPhoneJourney } from './device.mjs';
import { placesJourney } from './places.mjs';
import { CameraFile } from './scenes.mjs';
import { shopSetupJourney, shopWorkJourney } from './shop.mjs';
import { serviceJourney } from './service.mjs';
import { staffJourney } from './staff.mjs';
import { startSystem } from './system.mjs';
import { answerJourney, partyJourney, pictureJourney } from './trouble.mjs';
import { vouchersJourney } from './vouchers.mjs';
import { deleteJourney, enrolJourney, historyJourney, pauseJourney, signUpJourney } from './wallet.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const pictures = join(root, 'var/test-pictures');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** `HANDSEL_JOURNEYS=signUp,enrol,pay` runs only those, for work on one of them. */
const wanted = process.env.HANDSEL_JOURNEYS?.split(',');

/** In this order: each leaves the account and the till as the next one expects them. */
const journeys = [
  signUpJourney,
  deviceJourney,
  enrolJourney,
  payJourney,
  pictureJourney,
  refusalJourney,
  answerJourney,
  outageJourney,
  partyJourney,
  digitsJourney,
  refundJourney,
  staffJourney,
  pauseJourney,
  undoJourney,
  notMeJourney,
  safetyJourney,
  helperJourney,
  undoOverJourney,
  shopSetupJourney,
  shopWorkJourney,
  serviceJourney,
  historyJourney,
  exportJourney,
  closeJourney,
  approveJourney,
  lostPhoneJourney,
  sizeJourney,
  largeTextJourney,
  lockJourney,
  limitsJourney,
  deleteJourney,
  placesJourney,
  vouchersJourney,
  componentsJourney,
].filter(({ name }) => !wanted || wanted.includes(name.replace('Journey', '')));

const harness = new Harness(join(here, 'artefacts'));
process.exitCode = await main().catch((error) => harness.step('the test itself', () => Promise.reject(error)).then(() => harness.finish()));

async function main() {
  if (!existsSync(join(pictures, 'obama.jpg'))) throw new Error(`${pictures} is empty: run \`make test-data\`.`);
  if (!existsSync(browserPath)) throw new Error(`${browserPath} is missing: install chromium, or set CHROMIUM to its path.`);
  const folder = mkdtempSync(join(tmpdir(), 'handsel-e2e-'));
  const camera = new CameraFile(join(folder, 'camera'), pictures);
  const system = await startSystem(root, join(folder, 'system'));
  const browser = await chromium.launch({ executablePath: browserPath, args: flags(camera) });
  try {
    const passes = [
      { language: 'en', scheme: 'light', phone: phone(0), passcode: '804739' },
      { language: 'zh', scheme: 'dark', phone: phone(1), passcode: '395081' },
    ];
    const freshSystem = (numbers) => startSystem(root, join(mkdtempSync(join(folder, 'own-')), 'system'), numbers);
    for (const pass of passes) await walk({ ...pass, harness, camera, browser, pictures, freshSystem, ...system });
    await harness.step('every step ran in both languages', () => harness.compare(passes.map(({ language }) => language)));
    await harness.step('no page error, no policy violation, no request to somewhere else', () => {
      if (harness.faults.length > 0) throw new Error([...new Set(harness.faults)].join('\n'));
    });
  } finally {
    await browser.close();
    await system.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return harness.finish();
}

/** One language, one person on one phone, at one till: the pages of `world`'s system. */
async function stageOf(world) {
  const hosts = [world.tillUrl, world.walletUrl].map((url) => new URL(url).host);
  const open = async (what, viewport, url, permissions = ['camera']) => {
    const locale = world.language === 'zh' ? 'zh-CN' : 'en-US';
    const context = await world.browser.newContext({ viewport, locale, permissions, colorScheme: world.scheme, acceptDownloads: true });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    await giveDevice(context, page);
    world.harness.watch(page, `${what} ${world.language}`, [...hosts, new URL(url).host]);
    await page.goto(url);
    // The language is chosen as a person would: by the switch that is on every screen.
    await page.getByRole('button', { name: world.language === 'zh' ? '中文' : 'English' }).click();
    return page;
  };
  const stage = {
    ...world,
    open,
    /** The words of this pass. */
    say: (en, zh) => (world.language === 'zh' ? zh : en),
    screen: (page, name) => world.harness.screen(page, `${world.language}-${name}`),
    step: (name, work, page) => world.harness.step(`${world.language}: ${name}`, work, page),
    /** The same at another system. */
    at: (system) => stageOf({ ...world, ...system }),
  };
  stage.wallet = await open('wallet', { width: 390, height: 844 }, world.walletUrl);
  stage.till = await open('till', { width: 1024, height: 768 }, world.tillUrl);
  return stage;
}

/** All journeys in one language. */
async function walk(world) {
  const stage = await stageOf(world);
  for (const journey of journeys) {
    // A journey that ends outside of a step would leave out the rest of its steps: that is a failure too.
    try {
      await journey(stage);
    } catch (error) {
      await stage.step(`${journey.name} was broken off`, () => Promise.reject(error), stage.till);
    }
  }
  await stage.wallet.context().close();
  await stage.till.context().close();
}

function flags(camera) {
  return [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${camera.path}`,
  ];
}

/** A number that no earlier run against the same system has used. */
function phone(pass) {
  return `139${String((Date.now() + pass) % 100_000_000).padStart(8, '0')}`;
}
