// What staff need beside payments: how the lane is, answers to shoppers' questions, a receipt on paper.

import assert from 'node:assert/strict';
import { decodeQR } from 'qr/decode.js';
import { backToAmount, confirmIfAsked, expectPaid, next, offer, payByLook, typeAmount } from './till.mjs';

export async function staffJourney(stage) {
  const { till, say, step, screen, camera } = stage;

  await step('staff: how the lane is, and what shoppers ask', async () => {
    await till.getByRole('button', { name: say('Help for staff', '店员帮助') }).click();
    await till.getByText(say('The platform answers.', '平台连接正常。')).waitFor();
    await till.getByText(say(/^A look takes \d+\.\d s here/, /^在这里刷脸需要 \d+\.\d 秒/)).waitFor();
    await screen(till, 'till-90-staff');
    for (const question of await till.locator('summary').all()) await question.click();
    await till.getByText(say('No. The camera opens when you press the button', '不会。按下按钮后摄像头才打开')).waitFor();
    await screen(till, 'till-91-staff-answers');
    await till.getByRole('button', { name: say('Back to amount', '返回金额') }).click();
  }, till);

  await step('queue guard: a slow lane says so and puts the other ways first', async () => {
    // Seven looks of twelve seconds, as this page would have measured them.
    await till.evaluate(() => {
      for (let look = 0; look < 7; look++) performance.measure('look', { start: performance.now(), duration: 12_000 });
    });
    try {
      await typeAmount(stage, '200');
      await offer(stage);
      await till.getByText(say('Paying with the face is slow at the moment: about 12 seconds.', '现在刷脸较慢：大约 12 秒。')).waitFor();
      await screen(till, 'till-93-slow-lane');
      await till.getByRole('button', { name: say('Pay another way', '换一种方式付款') }).click();
      await backToAmount(stage);
    } finally {
      await till.evaluate(() => performance.clearMeasures('look'));
    }
  }, till);

  await step('a receipt on paper: dark on white, with the rule and the terms, and nothing to press', async () => {
    camera.show('personALater');
    await payByLook(stage, '200');
    await confirmIfAsked(stage);
    await expectPaid(stage, '¥2.00');
    await till.emulateMedia({ media: 'print' });
    try {
      await till.getByText(say('It can be undone or disputed in the wallet.', '可在钱包中撤销或提出争议。')).waitFor();
      assert.equal(await till.getByRole('button').count(), 0);
      await screen(till, 'till-92-receipt-on-paper');
    } finally {
      await till.emulateMedia({ media: null });
    }
  }, till);

  await step('the same receipt as a code, which any phone reads', async () => {
    await till.getByRole('button', { name: say('Receipt as a code', '凭证二维码') }).click();
    const code = till.getByRole('img', { name: say(/^QR code of the receipt/, /^凭证二维码/) });
    await code.waitFor();
    await screen(till, 'till-95-receipt-as-a-code');
    const [amount, store, , reference] = readCode(await code.getAttribute('viewBox'), await code.locator('path').getAttribute('d')).split('\n');
    assert.match(amount, say(/^¥2\.00 to /, /^¥2\.00 收款方：/));
    assert.equal(store, 'Store 1');
    await till.getByText(reference, { exact: true }).waitFor();
    await till.getByRole('button', { name: say('Hide the code', '收起二维码') }).click();
    await code.waitFor({ state: 'detached' });
    await next(stage);
  }, till);
}

/** What a QR code says whose dark modules are these squares of a path. */
function readCode(viewBox, path) {
  const [side, scale] = [Number(viewBox.split(' ')[2]), 4];
  const width = side * scale;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g)) {
    for (let at = 0; at < scale * scale; at++) {
      const pixel = (Number(y) * scale + Math.floor(at / scale)) * width + Number(x) * scale + (at % scale);
      data.fill(0, pixel * 4, pixel * 4 + 3);
    }
  }
  return decodeQR({ width, height: width, data });
}
