// Where a shopper is recognised without digits, on an installation of its own whose rules let one person be searched at most:
// from the second on, digits are asked for in earnest.

import assert from 'node:assert/strict';
import { backToAmount, confirmIfAsked, expectPaid, expectRefused, next, payByLook } from './till.mjs';
import { follow, goHome, signUp } from './wallet.mjs';

/** At one false match in a hundred, with a budget of one in a hundred. */
const numbers = { false_match_rate_ppb: 10_000_000, false_match_budget_ppm: 10_000, narrow_match_budget_ppm: 10_000 };

export async function placesJourney(stage) {
  const system = await stage.freshSystem(numbers);
  const own = await stage.at(system);
  try {
    await walk(own);
  } finally {
    await own.wallet.context().close();
    await own.till.context().close();
    await system.stop();
  }
}

async function walk(stage) {
  const { wallet, till, say, step, screen, camera, phone, passcode } = stage;
  const digitsOf = (number) => number.slice(-4);
  const neighbour = phone.replace(/.{4}$/, (digits) => String((Number(digits) + 1) % 10_000).padStart(4, '0'));
  const title = say('Last four digits of your phone number', '手机号后四位');
  const give = async (digits) => {
    await till.getByRole('heading', { name: title }).waitFor({ timeout: 40_000 });
    const pad = till.getByRole('group', { name: title });
    for (const digit of digits) await pad.getByRole('button', { name: digit, exact: true }).click();
    await till.getByRole('button', { name: say('Continue', '继续') }).click();
  };
  const places = () => follow(wallet, say('Where I am recognised', '在哪里认出我'));
  const told = (en, zh) => wallet.getByRole('status').getByText(say(en, zh)).waitFor();

  await step('places: nobody is chosen for, and a face comes first', async () => {
    await signUp(wallet, say, phone, passcode);
    await topUp(wallet, say);
    await goHome(wallet, say);
    await places();
    await wallet.getByText(say('A shop can recognise you without digits once one is.', '登记后，商店才能不问后四位就认出您。')).waitFor();
    assert.ok(await wallet.getByRole('radio', { name: say('None', '不指定') }).isChecked());
    await screen(wallet, 'wallet-60-places-before');
    camera.show('personA');
    await goHome(wallet, say);
    await enrol(stage, wallet);
    camera.show('personALater');
    await payByLook(stage, '500');
    await expectPaid(stage, '¥5.00');
    await next(stage);
  }, till);

  await step('places: with a second person the digits are asked, as the rules say', async () => {
    const other = await stage.open('second wallet', { width: 390, height: 844 }, stage.walletUrl);
    await signUp(other, say, neighbour, passcode);
    camera.show('personB');
    // J23: somebody without a phone enrols at a counter, on the word of staff who have seen the person and a document.
    await follow(other, say('Enrol face', '登记人脸'));
    const go = other.getByRole('button', { name: say('Continue', '继续') });
    await other.getByText(say('Bind a phone first', '请先绑定手机')).first().waitFor();
    assert.ok(await go.isDisabled());
    stage.admin('allow-enrolment', '--phone', neighbour);
    await goHome(other, say);
    await enrolFace(stage, other);
    await other.context().close();
    camera.show('personALater');
    await payByLook(stage, '400');
    await give(digitsOf(phone));
    await expectPaid(stage, '¥4.00');
    await next(stage);
  }, till);

  await step('places: recognise me at this shop, and no digits are asked', async () => {
    await goHome(wallet, say);
    await places();
    await wallet.getByText(say('Digits may be asked', '可能询问后四位')).waitFor();
    await screen(wallet, 'wallet-61-places');
    await wallet.getByRole('button', { name: say(/^Recognise me here: /, /^在此认出我：/) }).click();
    await told(/^Done: /, /^已设置：/);
    await wallet.getByText(say(/^Without digits since /, /起不问后四位$/)).waitFor();
    await screen(wallet, 'wallet-62-regular');
    await untilPartiesKnow(wallet);
    await payByLook(stage, '300');
    await confirmIfAsked(stage);
    await expectPaid(stage, '¥3.00');
    await next(stage);
  }, till);

  await step('places: whoever is no regular is asked for digits after the look, and is never charged to one', async () => {
    camera.show('personB');
    await payByLook(stage, '200');
    await till.getByText(say('One more thing is needed.', '还需要一项信息。')).waitFor({ timeout: 40_000 });
    await screen(till, 'till-80-digits-after-a-look');
    await till.reload();
    await till.getByText(say('One more thing is needed.', '还需要一项信息。')).waitFor();
    await give(digitsOf(phone));
    await expectRefused(stage, 'Nobody enrolled was recognised.', '没有识别出已登记的人。');
    await backToAmount(stage);
  }, till);

  await step('places: the city, and what the list of queries says', async () => {
    await goHome(wallet, say);
    await places();
    await wallet.getByRole('radio', { name: '上海 Shanghai' }).check();
    await told('You are recognised in 上海 Shanghai as soon as all three parties know.', '三方都收到后，即可在上海 Shanghai认出您。');
    await screen(wallet, 'wallet-63-city');
    await wallet.getByRole('radio', { name: say('None', '不指定') }).check();
    await told('You are recognised by a city no more.', '不再按城市认出您。');
    await goHome(wallet, say);
    await follow(wallet, say('Who asked about my face', '谁查询过我的脸'));
    await wallet.getByText(say('Recognised without digits', '免后四位认出'), { exact: true }).first().waitFor();
    await wallet.getByText(say('who has these last four digits', '手机号后四位相同的人')).first().waitFor();
    await wallet.getByText(say('who named this city', '指定本城市的人')).first().waitFor();
    await screen(wallet, 'wallet-64-queries-of-places');
  }, wallet);

  await step('places: taken back, the digits are asked again', async () => {
    await goHome(wallet, say);
    await places();
    await wallet.getByRole('button', { name: say(/^Stop recognising me: /, /^不再认出我：/) }).click();
    await told(/^Taken back: /, /^已收回：/);
    await untilPartiesKnow(wallet);
    camera.show('personALater');
    await payByLook(stage, '200');
    await give(digitsOf(phone));
    await confirmIfAsked(stage);
    await expectPaid(stage, '¥2.00');
    await next(stage);
  }, till);
}

export async function topUp(page, say) {
  await follow(page, say('Top up', '充值'));
  await page.getByRole('button', { name: '¥500.00', exact: true }).click();
  await page.getByRole('button', { name: say('Top up ¥500.00', '充值 ¥500.00') }).click();
  await page.getByText(say('¥500.00 arrived. Your balance is ¥500.00.', '¥500.00 已到账，余额 ¥500.00。')).waitFor();
}

/** Enrols whoever is in view. */
export async function enrol(stage, page) {
  const { say } = stage;
  await follow(page, say('Bind this phone', '绑定这部手机'));
  await page.getByRole('button', { name: say('Bind this device', '绑定此设备') }).click();
  await page.getByText(say('My device is bound.', '已绑定“我的设备”。')).waitFor();
  await goHome(page, say);
  await enrolFace(stage, page);
}

async function enrolFace({ say }, page) {
  await follow(page, say('Enrol face', '登记人脸'));
  await page.getByRole('button', { name: say('Continue', '继续') }).click();
  await page.getByRole('checkbox', { name: say('I agree: Payment', '我同意：付款') }).check();
  await page.getByRole('button', { name: say('Save and go on', '保存并继续') }).click();
  await page.getByRole('heading', { name: say('Somebody who looks like you', '与您相像的人') }).waitFor();
  await page.getByRole('button', { name: say('Continue', '继续') }).click();
  await page.getByRole('heading', { name: say('How you will pay', '怎样付款') }).waitFor();
  await page.getByRole('button', { name: say('Continue', '继续') }).click();
  await page.getByRole('button', { name: say('Open the camera', '打开摄像头') }).click();
  await page.getByRole('heading', { name: say('Your face is enrolled', '人脸已登记') }).waitFor({ timeout: 60_000 });
}

/** What was asked for goes to the parties at once; nothing on a screen tells that they have it. */
export function untilPartiesKnow(page) {
  return page.waitForTimeout(3_000);
}
