// The journeys at the till: J2 to J5 payment, J7 refund, J18 outage, and every refusal that a camera can cause.

import assert from 'node:assert/strict';
import { balance, goHome } from './wallet.mjs';

export async function payJourney(stage) {
  const { wallet, till, say, step, screen, camera, passcode } = stage;

  await step('the till begins with the amount; an empty one says why it cannot go on', async () => {
    await till.getByText(say('Enter an amount first.', '请先输入金额。')).waitFor();
    await screen(till, 'till-01-amount-empty');
  }, till);

  await step('pay a small sum by look alone', async () => {
    camera.show('personALater');
    await typeAmount(stage, '1250');
    await screen(till, 'till-02-amount');
    await offer(stage);
    await till.getByText(say('The camera is off. It opens only when you press the button.', '摄像头已关闭，按下按钮后才会打开。')).waitFor();
    await screen(till, 'till-03-offer');
    await pressPay(stage);
    await expectPaid(stage, '¥12.50');
    await screen(till, 'till-04-paid');
    await tellTime(stage, 'J2', 8);
    assert.equal(await till.evaluate(() => document.querySelector('video')), null);
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), 50_000 - 1_250);
  }, till);

  await step('pay by keyboard alone', async () => {
    await till.getByRole('heading', { level: 1 }).focus();
    await till.keyboard.type('300');
    await till.keyboard.press('Enter');
    await till.getByRole('button', { name: say('Pay with face', '刷脸付款') }).waitFor();
    await till.keyboard.press('Tab');
    await till.keyboard.press('Enter');
    await expectPaid(stage, '¥3.00');
    await tellTime(stage, 'J3', 2.5);
    await till.keyboard.press('Tab');
    await till.keyboard.press('Enter');
    await till.getByRole('button', { name: say('Show to shopper', '请顾客确认') }).waitFor();
  }, till);

  await step('above the small sum the passcode is asked; a wrong one is refused, the right one pays', async () => {
    await payByLook(stage, '20100');
    await till.getByRole('heading', { name: say('Payment passcode', '支付密码') }).waitFor({ timeout: 30_000 });
    await screen(till, 'till-10-passcode');
    await typeCode(stage, passcode === '918273' ? '273918' : '918273');
    await till.getByRole('button', { name: say('Pay', '付款'), exact: true }).click();
    await till.getByText(say('The passcode is wrong.', '支付密码错误。')).waitFor();
    await screen(till, 'till-11-passcode-wrong');
    // As a passcode pad on a cable gives it: digits and Enter, like any keyboard.
    await till.keyboard.type(passcode);
    await till.keyboard.press('Enter');
    await expectPaid(stage, '¥201.00');
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), 50_000 - 1_250 - 300 - 20_100);
  }, till);
}

export async function refusalJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;
  let before;

  await step('a stranger is refused, nothing is charged', async () => {
    await goHome(wallet, say);
    before = await balance(wallet, say);
    camera.show('personB');
    await payByLook(stage, '900');
    await expectRefused(stage, 'Nobody enrolled was recognised.', '没有识别出已登记的人。');
    await screen(till, 'till-20-refused-stranger');
    await backToAmount(stage);
  }, till);

  await step('two people in view are refused with the reason', async () => {
    camera.show('twoPeople');
    await payByLook(stage, '900');
    await till.getByText(say('Let one person stand in front of the camera.', '请只让一个人站在镜头前。')).waitFor();
    await screen(till, 'till-21-two-people-advice');
    await losePatience(stage);
    await expectRefused(stage, 'More than one person is in view.', '画面中不止一个人。');
    await screen(till, 'till-22-two-people-refused');
  }, till);

  await step('nobody in view is refused with the reason', async () => {
    camera.show('nobody');
    await till.getByRole('button', { name: say('Look again', '再看一次') }).click();
    await pressPay(stage);
    await till.getByText(say('No face is in view.', '画面中没有人脸。')).waitFor();
    await screen(till, 'till-23-nobody-advice');
    await losePatience(stage);
    await expectRefused(stage, 'No face is in view.', '画面中没有人脸。');
    await screen(till, 'till-24-nobody-refused');
    await backToAmount(stage);
  }, till);

  await step('a screen that is held out is refused with the reason', async () => {
    camera.show('heldOut');
    await payByLook(stage, '900');
    await till.getByText(say('This looks like a picture or a screen.', '这看起来像照片或屏幕。')).waitFor();
    await screen(till, 'till-27-not-live-advice');
    await losePatience(stage);
    await expectRefused(stage, 'This looks like a picture or a screen.', '这看起来像照片或屏幕。');
    await backToAmount(stage);
  }, till);

  await step('who is in view and cancels while the ring runs pays nothing', async () => {
    camera.show('personALater');
    const before = await balance(wallet, say);
    await payByLook(stage, '900');
    await till.getByText(say('The camera is on.', '摄像头已打开。')).waitFor();
    await screen(till, 'till-28-cancel-ring');
    await till.getByRole('button', { name: say('Cancel', '取消') }).click();
    await till.getByRole('heading', { name: say('Cancelled', '已取消') }).waitFor();
    await till.waitForTimeout(2_000);
    assert.ok(await till.getByRole('heading', { name: say('Cancelled', '已取消') }).isVisible());
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, till);

  await step('cancelling closes the camera', async () => {
    camera.show('nobody');
    await payByLook(stage, '900');
    await till.getByText(say('The camera is on.', '摄像头已打开。')).waitFor();
    await till.getByRole('button', { name: say('Cancel', '取消') }).click();
    await till.getByRole('heading', { name: say('Cancelled', '已取消') }).waitFor();
    await till.getByText(say('Nothing was charged.', '没有扣款。')).waitFor();
    await screen(till, 'till-25-cancelled');
    await backToAmount(stage);
  }, till);

  await step('a camera that may not be used is said so', async () => {
    const page = await stage.open('till without camera', { width: 1024, height: 768 }, stage.tillUrl, []);
    try {
      const without = { ...stage, till: page };
      await payByLook(without, '900');
      await expectRefused(without, 'The camera may not be used.', '未获准使用摄像头。');
      await screen(page, 'till-26-camera-denied');
      await backToAmount(without);
    } finally {
      await page.context().close();
    }
  }, till);

  await step('none of the refusals charged anything', async () => {
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, wallet);
}

export async function outageJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;

  await step('an answer that is lost: being checked, do not pay again, then paid once', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    camera.show('personALater');
    // The look arrives; its answer and every question after it are lost until the line is mended.
    await till.route('**/till/payments/*/look', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await till.route(/\/till\/payments\/pay_\w+$/, (route) => route.abort());
    await payByLook(stage, '700');
    await till.getByRole('heading', { name: say('Being checked', '正在核对') }).waitFor();
    await till.getByText(say('There is no connection at the moment.', '暂时没有网络连接。')).waitFor();
    await till.getByText(say('Do not pay again.', '请勿重复付款。')).waitFor();
    await screen(till, 'till-30-being-checked');
    await till.unrouteAll({ behavior: 'wait' });
    await expectPaid(stage, '¥7.00');
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - 700);
  }, till);

  await step('a platform that cannot be reached is said before anybody pays', async () => {
    await till.route('**/till/up', (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: '', title: '', status: 503, code: 'platform_unreachable', remedy: '' } }),
    );
    await till.getByText(say(/^Network down: small payments only/, /^网络中断：仅限小额付款/)).waitFor();
    await screen(till, 'till-31-platform-unreachable');
    await till.unrouteAll({ behavior: 'wait' });
    await till.getByText(say(/^Network down: small payments only/, /^网络中断：仅限小额付款/)).waitFor({ state: 'detached' });
  }, till);

  await step('a reload in the middle takes the payment up again', async () => {
    await typeAmount(stage, '600');
    await offer(stage);
    await till.reload();
    await till.getByText('¥6.00').first().waitFor();
    await till.getByRole('button', { name: say('Pay another way', '换一种方式付款') }).click();
    await till.getByRole('heading', { name: say('Cancelled', '已取消') }).waitFor();
    await backToAmount(stage);
  }, till);
}

/** A gallery that is too large to search as a whole: the last four digits of the phone come first. */
export async function digitsJourney(stage) {
  const { wallet, till, say, step, screen, camera, phone } = stage;
  const title = say('Last four digits of your phone number', '手机号后四位');
  const right = phone.slice(-4);
  const wrong = right === '0000' ? '1111' : '0000';
  const give = async (digits) => {
    await till.getByRole('heading', { name: title }).waitFor();
    const pad = till.getByRole('group', { name: title });
    for (const digit of digits) await pad.getByRole('button', { name: digit, exact: true }).click();
  };
  const go = () => till.getByRole('button', { name: say('Continue', '继续') }).click();

  await step('the phone’s last four digits: wrong ones find nobody, the right ones pay', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    // The gallery of this test is small, so the demand is put in; what is searched with the digits is real.
    await till.route('**/challenge', (route) =>
      route.request().postDataJSON().phone_suffix
        ? route.continue()
        : route.fulfill({ status: 409, contentType: 'application/problem+json', json: { type: '', title: '', status: 409, code: 'phone_suffix_required', remedy: '' } }),
    );
    camera.show('personALater');
    await payByLook(stage, '400');
    await give(wrong);
    await screen(till, 'till-35-digits');
    await go();
    await expectRefused(stage, 'Nobody enrolled was recognised.', '没有识别出已登记的人。');
    await till.getByRole('button', { name: say('Look again', '再看一次') }).click();
    await pressPay(stage);
    await give(right);
    await go();
    await confirmIfAsked(stage);
    await expectPaid(stage, '¥4.00');
    await till.unrouteAll({ behavior: 'wait' });
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - 400);
  }, till);
}

export async function refundJourney(stage) {
  const { wallet, till, say, step, screen } = stage;
  const dialog = till.getByRole('dialog');
  const open = () => till.getByRole('button', { name: say(/^Refund ¥12\.50 of/, /^退款：.* 的 ¥12\.50/) }).first().click();

  await step('refund a part, with confirmation', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    await till.getByRole('button', { name: say('Recent payments', '最近的付款') }).click();
    await till.getByRole('heading', { name: say('Recent payments', '最近的付款') }).waitFor();
    await open();
    await dialog.getByLabel(say('Amount to refund (¥)', '退款金额（元）')).fill('99');
    await dialog.getByRole('button', { name: say('Continue', '继续') }).click();
    await dialog.getByText(say('Enter an amount from ¥0.01 to ¥12.50.', '请输入 ¥0.01 到 ¥12.50 之间的金额。')).waitFor();
    await screen(till, 'till-40-refund-wrong');
    await dialog.getByLabel(say('Amount to refund (¥)', '退款金额（元）')).fill('2.50');
    await dialog.getByRole('button', { name: say('Continue', '继续') }).click();
    await screen(till, 'till-41-refund-confirm');
    await dialog.getByRole('button', { name: say('Refund ¥2.50', '退款 ¥2.50') }).click();
    await till.getByText(say('¥2.50 was refunded.', '已退款 ¥2.50。')).waitFor();
    await screen(till, 'till-42-refunded-part');
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before + 250);
  }, till);

  await step('refund all that is left', async () => {
    const before = await balance(wallet, say);
    await open();
    await dialog.getByRole('button', { name: say('Continue', '继续') }).click();
    await dialog.getByRole('button', { name: say('Refund ¥10.00', '退款 ¥10.00') }).click();
    await till.getByText(say('Fully refunded', '已全额退款')).first().waitFor();
    await screen(till, 'till-43-refunded-all');
    await till.getByRole('button', { name: say('Back to amount', '返回金额') }).click();
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before + 1_000);
  }, till);
}

/** What the account itself forbids: more than there is, and a passcode that was wrong too often. */
export async function lockJourney(stage) {
  const { wallet, till, say, step, screen, camera, passcode } = stage;
  const pay = () => till.getByRole('button', { name: say('Pay', '付款'), exact: true }).click();
  let before;

  await step('more than the balance is refused, nothing is charged', async () => {
    await goHome(wallet, say);
    before = await balance(wallet, say);
    camera.show('personALater');
    await payByLook(stage, String(before + 1));
    const asked = till.getByRole('heading', { name: say('Payment passcode', '支付密码') });
    await asked.or(till.getByRole('alert')).waitFor({ timeout: 30_000 });
    if (await asked.isVisible()) {
      await typeCode(stage, passcode);
      await pay();
    }
    await expectRefused(stage, 'The balance is too low.', '余额不足。');
    await screen(till, 'till-61-refused-balance');
    await backToAmount(stage);
  }, till);

  await step('five wrong passcodes lock, nothing is charged', async () => {
    await payByLook(stage, '20200');
    for (let left = 4; left >= 0; left--) {
      await till.getByRole('heading', { name: say('Payment passcode', '支付密码') }).waitFor({ timeout: 30_000 });
      await typeCode(stage, passcode === '918273' ? '273918' : '918273');
      await pay();
      if (left > 0) await till.getByText(left === 1 ? say('One try is left.', '还可以尝试 1 次。') : say(`${left} tries are left.`, `还可以尝试 ${left} 次。`)).waitFor();
    }
    await expectRefused(stage, 'Too many wrong passcodes.', '密码错误次数过多。');
    await screen(till, 'till-62-refused-locked');
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, till);
}

/** 200 % text on a phone and at the till: everything still fits and can be reached. */
export async function sizeJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;
  const enlarge = (page, size) => page.evaluate((value) => void (document.documentElement.style.fontSize = value), size);
  await step('text at 200 % fits', async () => {
    await goHome(wallet, say);
    await enlarge(wallet, '200%');
    await enlarge(till, '200%');
    assert.equal(await wallet.evaluate(() => getComputedStyle(document.documentElement).fontSize), '32px');
    await screen(wallet, 'wallet-50-home-large-text');
    await screen(till, 'till-50-amount-large-text');
    await typeAmount(stage, '123456');
    await offer(stage);
    await screen(till, 'till-51-offer-large-text');
    camera.show('nobody');
    await pressPay(stage);
    await till.getByText(say('The camera is on.', '摄像头已打开。')).waitFor();
    await screen(till, 'till-52-look-large-text');
    await till.getByRole('button', { name: say('Cancel', '取消') }).click();
    await till.getByRole('heading', { name: say('Cancelled', '已取消') }).waitFor();
    await screen(till, 'till-53-cancelled-large-text');
    await backToAmount(stage);
  }, till);
  await enlarge(wallet, '');
  await enlarge(till, '');
}

/** From the keypad to the open camera. `digits` are typed as on a card terminal: `1250` is ¥12.50. */
export async function payByLook(stage, digits) {
  await typeAmount(stage, digits);
  await offer(stage);
  await pressPay(stage);
}

export async function expectRefused({ till, say }, en, zh) {
  const alert = till.getByRole('alert');
  await alert.getByText(say(en, zh)).waitFor({ timeout: 40_000 });
  await alert.getByText(say('Nothing was charged.', '没有扣款。')).waitFor();
}

export async function typeAmount({ till }, digits) {
  for (const digit of digits) await till.getByRole('button', { name: digit, exact: true }).click();
}

export async function offer({ till, say }) {
  await till.getByRole('button', { name: say('Show to shopper', '请顾客确认') }).click();
  await till.getByRole('button', { name: say('Pay with face', '刷脸付款') }).waitFor();
}

export async function pressPay({ till, say }) {
  await till.getByRole('button', { name: say('Pay with face', '刷脸付款') }).click();
}

export async function typeCode({ till, say }, code) {
  const pad = till.getByRole('group', { name: say('Payment passcode', '支付密码') });
  for (const digit of code) await pad.getByRole('button', { name: digit, exact: true }).click();
}

/** After five payments by look alone the sixth asks for the passcode; which one that is depends on what came before. */
export async function confirmIfAsked(stage) {
  const { till, say, passcode } = stage;
  const asked = till.getByRole('heading', { name: say('Payment passcode', '支付密码') });
  await asked.or(till.getByRole('heading', { name: say('Paid', '已付款'), exact: true })).waitFor({ timeout: 40_000 });
  if (!(await asked.isVisible())) return;
  await typeCode(stage, passcode);
  await till.getByRole('button', { name: say('Pay', '付款'), exact: true }).click();
}

export async function expectPaid({ till, say }, amount) {
  await till.getByRole('heading', { name: say('Paid', '已付款'), exact: true }).waitFor({ timeout: 40_000 });
  await till.getByText(amount, { exact: true }).waitFor();
}

export async function next({ till, say }) {
  await till.getByRole('button', { name: say('Next payment', '下一笔') }).click();
}

/** The page's patience with a look is over: its clock is put forward by that much. */
function losePatience({ till }) {
  return till.evaluate(() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 12_000;
  });
}

/** From a refusal or a cancelled payment back to the cashier's keypad. */
export async function backToAmount({ till, say }) {
  const done = till.getByRole('button', { name: say('Another way / done', '换一种方式／结束') });
  const amount = till.getByRole('button', { name: say('Show to shopper', '请顾客确认') });
  const cancelled = till.getByRole('heading', { name: say('Cancelled', '已取消') });
  if (await done.isVisible()) await done.click();
  await amount.or(cancelled).waitFor();
  if (await cancelled.isVisible()) await done.click();
  await amount.waitFor();
}

/** The latest payment's time beside the journey's target. */
async function tellTime({ till, language }, journey, target_s) {
  const time_ms = await till.evaluate(() => performance.getEntriesByName('press-to-paid').at(-1).duration);
  console.log(`      ${language}: ${journey} press to paid: ${(time_ms / 1000).toFixed(2)} s of at most ${target_s} s`);
}
