// The shopper's journeys in the wallet: J1 enrolment, J9 deletion, J10 right to know, and the account around them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { backToAmount, expectRefused, payByLook } from './till.mjs';

export async function signUpJourney({ wallet, say, step, screen, phone, passcode }) {
  const field = (en, zh) => wallet.getByLabel(say(en, zh), { exact: true });
  const create = wallet.getByRole('form').getByRole('button', { name: say('Create account', '创建账户') });
  const fill = async (code) => {
    await field('Name', '姓名').fill(say('Test Person', '测试者'));
    await field('Mobile number', '手机号').fill(phone);
    await field('Payment passcode', '支付密码').fill(code);
    await field('Payment passcode again', '再次输入支付密码').fill(code);
  };

  await step('the first screen says what this is', async () => {
    await wallet.getByRole('heading', { level: 1 }).waitFor();
    await screen(wallet, 'wallet-01-welcome');
  }, wallet);

  await step('a form that is not filled in says what is missing', async () => {
    await wallet.getByRole('button', { name: say('Create account', '创建账户') }).first().click();
    await create.click();
    await wallet.getByText(say('Enter the 11 digits of a mainland mobile number.', '请输入 11 位大陆手机号。')).waitFor();
    await screen(wallet, 'wallet-02-sign-up-missing');
  }, wallet);

  await step('a passcode that is easy to guess is refused', async () => {
    await fill('123456');
    await create.click();
    await wallet.getByText(say('The passcode is too easy to guess.', '密码过于简单。')).waitFor();
    await screen(wallet, 'wallet-03-passcode-weak');
  }, wallet);

  await step('sign up', async () => {
    await fill(passcode);
    await screen(wallet, 'wallet-04-sign-up');
    await create.click();
    await wallet.getByRole('heading', { name: say('Hello, Test Person', '测试者，您好') }).waitFor();
    await screen(wallet, 'wallet-05-home-new');
  }, wallet);

  await step('sign out, refuse a wrong passcode, sign in', async () => {
    await wallet.getByRole('button', { name: say('Sign out', '退出登录') }).click();
    const signIn = wallet.getByRole('form').getByRole('button', { name: say('Sign in', '登录') });
    await field('Mobile number', '手机号').fill(phone);
    await field('Payment passcode', '支付密码').fill('918273');
    await signIn.click();
    await wallet.getByText(say('The phone number and passcode do not fit.', '手机号与密码不匹配。')).waitFor();
    await screen(wallet, 'wallet-06-sign-in-refused');
    await field('Payment passcode', '支付密码').fill(passcode);
    await signIn.click();
    await wallet.getByRole('heading', { name: say('Hello, Test Person', '测试者，您好') }).waitFor();
  }, wallet);

  await step('top up from the demo bank', async () => {
    await wallet.getByRole('link', { name: say('Top up', '充值') }).click();
    await wallet.getByLabel(say('Amount (¥)', '金额（元）')).fill('5000.01');
    await wallet.getByRole('button', { name: say('Top up', '充值'), exact: true }).click();
    await wallet.getByText(say('Enter an amount from ¥0.01 to ¥5,000.', '请输入 ¥0.01 到 ¥5,000 之间的金额。')).waitFor();
    await wallet.getByRole('button', { name: '¥500.00', exact: true }).click();
    await wallet.getByRole('button', { name: say('Top up ¥500.00', '充值 ¥500.00') }).click();
    await wallet.getByText(say('¥500.00 arrived. Your balance is ¥500.00.', '¥500.00 已到账，余额 ¥500.00。')).waitFor();
    await screen(wallet, 'wallet-07-top-up');
  }, wallet);
}

export async function enrolJourney({ wallet, say, step, screen, camera }) {
  await step('enrolment begins with what and why', async () => {
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Enrol face', '登记人脸') }).click();
    await wallet.getByRole('heading', { name: say('Enrol your face', '登记人脸') }).waitFor();
    await screen(wallet, 'wallet-10-enrol-why');
  }, wallet);

  await step('four separate consents, nothing ticked, only payment needed', async () => {
    await wallet.getByRole('button', { name: say('Continue', '继续') }).click();
    const boxes = wallet.getByRole('checkbox');
    await boxes.first().waitFor();
    assert.equal(await boxes.count(), 4);
    for (const box of await boxes.all()) assert.equal(await box.isChecked(), false);
    const next = wallet.getByRole('button', { name: say('Save and go on', '保存并继续') });
    assert.equal(await next.getAttribute('aria-disabled'), 'true');
    await screen(wallet, 'wallet-11-consents');
    await wallet.getByRole('checkbox', { name: say('I agree: Payment', '我同意：付款') }).check();
    await next.click();
    await wallet.getByRole('heading', { name: say('Somebody who looks like you', '与您相像的人') }).waitFor();
  }, wallet);

  await step('whoever has a twin is told what follows, and nobody has to answer', async () => {
    const yes = wallet.getByRole('radio', { name: say('Yes', '有'), exact: true });
    assert.equal(await yes.isChecked(), false);
    await yes.check();
    await wallet.getByText(say(/^Then a look alone never pays/, /^那么仅凭刷脸不会付款/)).waitFor();
    await screen(wallet, 'wallet-17-enrol-twin');
    await wallet.getByRole('radio', { name: say('No, or I would rather not say', '没有，或不想回答') }).check();
    await wallet.getByRole('button', { name: say('Continue', '继续') }).click();
    await wallet.getByText(say(/^your wallet, where there is ¥/, /^您的钱包，现有 ¥/)).waitFor();
    await screen(wallet, 'wallet-18-enrol-paying');
    await wallet.getByRole('button', { name: say('Continue', '继续') }).click();
    await wallet.getByRole('heading', { name: say('Capture', '采集') }).waitFor();
    await wallet.getByText(say('The camera is off.', '摄像头已关闭。')).waitFor();
    await screen(wallet, 'wallet-12-capture-ready');
  }, wallet);

  await step('enrolment is guided by words: nobody in view', async () => {
    camera.show('nobody');
    await wallet.getByRole('button', { name: say('Open the camera', '打开摄像头') }).click();
    await wallet.getByText(say('No face is in view.', '画面中没有人脸。')).waitFor();
    await screen(wallet, 'wallet-13-capture-nobody');
    await wallet.getByRole('link', { name: say('Cancel', '取消') }).click();
  }, wallet);

  await step('enrol person A by keyboard alone', async () => {
    camera.show('personA');
    const begun = Date.now();
    const press = async (key, en, zh) => {
      await tabTo(wallet, say(en, zh));
      await wallet.keyboard.press(key);
    };
    await press('Enter', 'Enrol face', '登记人脸');
    await press('Enter', 'Continue', '继续');
    await wallet.getByRole('checkbox').first().waitFor();
    await press('Space', 'I agree: Payment', '我同意：付款');
    await press('Enter', 'Save and go on', '保存并继续');
    await wallet.getByRole('heading', { name: say('Somebody who looks like you', '与您相像的人') }).waitFor();
    await press('Enter', 'Continue', '继续');
    await wallet.getByRole('heading', { name: say('How you will pay', '怎样付款') }).waitFor();
    await press('Enter', 'Continue', '继续');
    await wallet.getByRole('heading', { name: say('Capture', '采集') }).waitFor();
    await press('Enter', 'Open the camera', '打开摄像头');
    await wallet.getByText(say('The camera is on.', '摄像头已打开。')).waitFor();
    await screen(wallet, 'wallet-14-capture');
    await wallet.getByRole('heading', { name: say('Your face is enrolled', '人脸已登记') }).waitFor({ timeout: 60_000 });
    console.log(`      J1 from the first screen to enrolled, with a screenshot: ${((Date.now() - begun) / 1000).toFixed(1)} s of at most 90 s`);
    await screen(wallet, 'wallet-15-enrolled');
    await goHome(wallet, say);
    await wallet.getByRole('button', { name: say('Pause', '暂停') }).waitFor();
    await screen(wallet, 'wallet-16-home-enrolled');
  }, wallet);
}

export async function pauseJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;
  await step('pause: the same face is refused, nothing is charged', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    await wallet.getByRole('button', { name: say('Pause', '暂停') }).click();
    await wallet.getByText(say('Paying with the face is paused.', '刷脸付款已暂停。')).waitFor();
    await screen(wallet, 'wallet-20-paused');
    camera.show('personALater');
    await payByLook(stage, '800');
    await expectRefused(stage, 'Paying with the face is paused by its owner.', '账户本人已暂停刷脸付款。');
    await screen(till, 'till-60-refused-paused');
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, till);

  await step('resume', async () => {
    await wallet.getByRole('button', { name: say('Resume', '恢复') }).click();
    await wallet.getByRole('button', { name: say('Pause', '暂停') }).waitFor();
  }, wallet);
}

export async function historyJourney({ wallet, say, step, screen }) {
  await step('activity shows every receipt with its rule', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Payments and receipts', '付款与凭证'));
    const row = wallet.getByRole('link').filter({ hasText: say('Payment ·', '付款 ·') }).filter({ hasText: '-¥12.50' });
    const older = wallet.getByRole('button', { name: say('Show older ones', '显示更早的记录') });
    await wallet.getByRole('listitem').first().waitFor();
    await screen(wallet, 'wallet-30-activity');
    while (!(await row.isVisible())) {
      await older.click();
      await row.or(older).first().waitFor();
    }
    await row.click();
    await wallet.getByText(say('What judged it', '判定依据')).waitFor();
    await wallet.getByText('cn/2026-11-01').waitFor();
  }, wallet);

  await step('every use of the face is listed with its outcome', async () => {
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Who asked about my face', '谁查询过我的脸') }).click();
    await wallet.getByText(say('Recognition at a till', '在收银台识别')).first().waitFor();
    const older = wallet.getByRole('button', { name: say('Show older ones', '显示更早的记录') });
    while (await older.isVisible()) await older.click();
    const list = await wallet.getByRole('main').innerText();
    for (const outcome of [
      say('paid', '已付款'),
      say('enrolled', '已登记'),
      say('Paying with the face is paused by its owner.', '账户本人已暂停刷脸付款。'),
    ]) assert.ok(list.includes(outcome), `the list lacks: ${outcome}`);
    await screen(wallet, 'wallet-31-queries');
    await wallet.getByRole('link', { name: say('Open the receipt', '打开凭证') }).first().click();
    await wallet.getByText(say('What judged it', '判定依据')).waitFor();
  }, wallet);

  await step('who sees what, and the consents', async () => {
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Who sees what, and my consents', '谁能看到什么，以及我的同意') }).click();
    await wallet.getByRole('button', { name: say('Withdraw consent: Payment', '撤回同意：付款') }).waitFor();
    await screen(wallet, 'wallet-32-privacy');
  }, wallet);
}

export async function deleteJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;
  await step('delete by keyboard alone: three signed confirmations arrive and can be kept', async () => {
    await goHome(wallet, say);
    const begun = Date.now();
    await tabTo(wallet, say('Delete face', '删除人脸'));
    await wallet.keyboard.press('Enter');
    await wallet.getByRole('heading', { name: say('Delete your face', '删除人脸') }).waitFor();
    await screen(wallet, 'wallet-40-delete');
    await tabTo(wallet, say('Delete my face now', '立即删除我的脸'));
    await wallet.keyboard.press('Enter');
    await wallet.getByRole('heading', { name: say('Your face is deleted', '人脸已删除') }).waitFor({ timeout: 30_000 });
    console.log(`      J9 deleted everywhere, with a screenshot: ${((Date.now() - begun) / 1000).toFixed(1)} s; asking may take 30 s`);
    await screen(wallet, 'wallet-41-deleted');
    const [download] = await Promise.all([
      wallet.waitForEvent('download'),
      wallet.getByRole('button', { name: say('Download the confirmations (JSON)', '下载确认书（JSON）') }).click(),
    ]);
    const kept = JSON.parse(readFileSync(await download.path(), 'utf8'));
    assert.deepEqual([...new Set(kept.confirmations.map(({ party }) => party))].sort(), [1, 2, 3]);
    for (const { signature, destroyed_at } of kept.confirmations) {
      assert.match(signature, /^[0-9a-f]{128}$/);
      assert.ok(destroyed_at > Date.now() - 120_000);
    }
  }, wallet);

  await step('after the deletion nobody is recognised', async () => {
    camera.show('personALater');
    await payByLook(stage, '500');
    await expectRefused(stage, 'Nobody enrolled was recognised.', '没有识别出已登记的人。');
    await screen(till, 'till-70-refused-deleted');
    await backToAmount(stage);
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Enrol face', '登记人脸') }).waitFor();
  }, till);
}

/** Opens the link or button of this name and waits until another screen has begun. */
export async function follow(page, name) {
  const before = page.url();
  await page.getByRole('link', { name, exact: true }).first().click();
  await page.waitForURL((url) => url.href !== before);
}

/** Signs in on a page where nobody is signed in; `refusal` is what is said instead when it must not succeed. */
export async function signIn(page, say, phone, passcode, refusal) {
  await page.getByLabel(say('Mobile number', '手机号'), { exact: true }).fill(phone);
  await page.getByLabel(say('Payment passcode', '支付密码'), { exact: true }).fill(passcode);
  await page.getByRole('form').getByRole('button', { name: say('Sign in', '登录') }).click();
  await (refusal ? page.getByText(refusal) : page.getByRole('heading', { name: say('Balance', '余额') })).waitFor();
}

export async function signUp(page, say, phone, passcode) {
  const field = (en, zh) => page.getByLabel(say(en, zh), { exact: true });
  await page.getByRole('button', { name: say('Create account', '创建账户') }).first().click();
  await field('Name', '姓名').fill(say('Second Person', '第二人'));
  await field('Mobile number', '手机号').fill(phone);
  await field('Payment passcode', '支付密码').fill(passcode);
  await field('Payment passcode again', '再次输入支付密码').fill(passcode);
  await page.getByRole('form').getByRole('button', { name: say('Create account', '创建账户') }).click();
  await page.getByRole('heading', { name: say('Balance', '余额') }).waitFor();
}

export async function goHome(wallet, say) {
  const back = wallet.getByRole('navigation').getByRole('link', { name: say('Back to overview', '返回总览') });
  if (await back.isVisible()) await back.click();
  // The overview reads the account itself; a reload makes sure that what is compared is not older than this moment.
  await wallet.reload();
  await wallet.getByRole('heading', { name: say('Balance', '余额') }).waitFor();
}

/** The balance on the overview, in minor units. */
export async function balance(wallet, say) {
  const text = await wallet.getByRole('region', { name: say('Balance', '余额') }).innerText();
  const [, yuan, fen] = /¥([\d,]+)\.(\d\d)/.exec(text);
  return Number(yuan.replaceAll(',', '')) * 100 + Number(fen);
}

/** Presses Tab until the control of this name has the focus, as somebody without a mouse does. */
export async function tabTo(page, name) {
  for (let pressed = 0; pressed < 60; pressed++) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => {
      const focused = document.activeElement;
      return (focused?.closest('label') ?? focused)?.textContent?.trim();
    });
    if (here === name) return;
  }
  throw new Error(`Tab does not reach “${name}”.`);
}
