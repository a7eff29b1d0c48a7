// Steps, screenshots and what is checked on every screen: axe, the size of targets, overflow, requests and errors.

import { mkdirSync, rmSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2 success criterion 2.5.5 (enhanced). */
const target_px_min = 44;

export class Harness {
  passed = 0;
  failed = 0;
  /** The names of the steps that ran, in order. */
  names = [];
  /** Faults seen beside the steps: page errors, policy violations, requests to somewhere else. */
  faults = [];

  constructor(artefacts) {
    this.artefacts = artefacts;
    rmSync(artefacts, { recursive: true, force: true });
    mkdirSync(artefacts, { recursive: true });
  }

  /** Runs one step; a failure is told and counted, and the next step runs. */
  async step(name, work, page) {
    const begun = Date.now();
    this.names.push(name);
    try {
      await work();
      this.passed++;
      console.log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed++;
      console.log(`FAIL  ${name}\n      ${String(error?.message ?? error).split('\n').slice(0, 12).join('\n      ')}`);
      const file = join(this.artefacts, `FAILED-${name.replace(/[^\w-]+/g, '_').slice(0, 60)}.png`);
      await page?.screenshot({ path: file, fullPage: true }).catch(() => {});
    }
  }

  /** Fails when a step of one language did not run in another: nothing is left out in silence. */
  compare(languages) {
    const [first, ...others] = languages.map((language) => {
      const prefix = `${language}: `;
      return this.names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    });
    if (first.length === 0) throw new Error('no step ran');
    for (const other of others) {
      const missing = [...first.filter((name) => !other.includes(name)), ...other.filter((name) => !first.includes(name))];
      if (missing.length > 0) throw new Error(`only in one language: ${missing.join('; ')}`);
    }
  }

  /** Keeps the screen as a picture and checks it. */
  async screen(page, name) {
    // A dialog belongs to the window, not to the whole page.
    const fullPage = (await page.getByRole('dialog').count()) === 0;
    await page.screenshot({ path: join(this.artefacts, `${name}.png`), fullPage });
    const [violations, small, overflow] = [await axe(page), await smallTargets(page), await overflows(page)];
    const faults = [
      ...violations.map((violation) => `axe ${violation}`),
      ...small.map((target) => `target under ${target_px_min} px: ${target}`),
      ...overflow.map((text) => `overflow: ${text}`),
    ];
    if (faults.length > 0) throw new Error(`${name}: ${faults.join('; ')}`);
  }

  /** Watches `page` for what must never happen on any screen. */
  watch(page, what, allowedHosts) {
    page.on('pageerror', (error) => this.faults.push(`${what}: ${error.message}`));
    page.on('console', (message) => {
      // A refusal by the server is told by the browser as an error too; it is part of the journeys.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.faults.push(`${what}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      const local = ['blob:', 'data:'].includes(url.protocol) || allowedHosts.includes(url.host);
      if (!local) this.faults.push(`${what}: request to ${url.origin}`);
    });
  }

  /** The last lines, and the exit status. */
  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}

async function axe(page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations);
  return violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target, failureSummary }) => `${target} (${failureSummary.split('\n')[1]?.trim()})`).join(', ')}`);
}

function smallTargets(page) {
  return page.evaluate((least) => {
    const targets = [...document.querySelectorAll('button, a[href], summary, select, input:not([type=checkbox], [type=radio]), label:has(input)')];
    return targets
      .map((target) => ({ target, box: target.getBoundingClientRect() }))
      .filter(({ target, box }) => target.checkVisibility() && (box.height < least - 0.5 || box.width < least - 0.5) && !(target.matches('label') && box.width === 0))
      .map(({ target, box }) => `${target.textContent.trim() || target.tagName} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }, target_px_min);
}

/** Text that is wider than its box or the window. */
function overflows(page) {
  return page.evaluate(() => {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
    for (const element of document.querySelectorAll('main *, header *')) {
      if (!element.checkVisibility() || element.closest('.spoken-only, svg') || getComputedStyle(element).display === 'inline') continue;
      if (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1) found.push(`<${element.localName}> ${element.textContent.trim().slice(0, 40)}`);
    }
    return found;
  });
}
