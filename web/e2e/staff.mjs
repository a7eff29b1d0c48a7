// What staff need beside payments: how the lane is, answers to shoppers' questions, a receipt on paper.

import assert from 'node:assert/strict';
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
    await next(stage);
  }, till);
}
