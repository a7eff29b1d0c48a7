// Bound devices: the first one, signing in with it, J4 approval on the phone, J11 the phone is lost. The browser's own virtual
// authenticator answers (Chrome DevTools Protocol, domain WebAuthn).

import assert from 'node:assert/strict';
import { backToAmount, expectPaid, expectRefused, next, payByLook } from './till.mjs';
import { balance, follow, goHome, signIn, signUp } from './wallet.mjs';

const devices = new WeakMap();

/** Gives a page a phone with a fingerprint reader. */
export async function giveDevice(context, page) {
  const browser = await context.newCDPSession(page);
  await browser.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await browser.send('WebAuthn.addVirtualAuthenticator', { options });
  devices.set(page, { browser, authenticatorId });
}

/** Whether the finger on the reader is its owner's. */
function setOwner(page, isUserVerified) {
  const { browser, authenticatorId } = devices.get(page);
  return browser.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
}

export async function deviceJourney(stage) {
  const { wallet, say, step, screen } = stage;
  const byDevice = wallet.getByRole('button', { name: say('Sign in with this device', '用此设备登录') });
  const bind = wallet.getByRole('button', { name: say('Bind this device', '绑定此设备') });
  const signOut = () => wallet.getByRole('button', { name: say('Sign out', '退出登录') }).click();

  await step('without a bound device nobody begins to enrol', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Enrol face', '登记人脸'));
    const on = wallet.getByRole('button', { name: say('Continue', '继续') });
    assert.equal(await on.getAttribute('aria-disabled'), 'true');
    await screen(wallet, 'wallet-120-enrol-no-device');
  }, wallet);

  await step('a finger that is not the owner’s binds nothing; the owner’s binds the phone', async () => {
    await goHome(wallet, say);
    await screen(wallet, 'wallet-121-home-no-device');
    await follow(wallet, say('Bind this phone', '绑定这部手机'));
    await screen(wallet, 'wallet-122-devices-none');
    await setOwner(wallet, false);
    await bind.click();
    await wallet.getByText(say('It was not approved on a bound device.', '未在已绑定的设备上批准。')).waitFor();
    await screen(wallet, 'wallet-123-not-approved');
    await setOwner(wallet, true);
    await wallet.getByLabel(say('Name of the device', '设备名称')).fill(say('Phone', '手机'));
    await bind.click();
    await wallet.getByText(say('Phone is bound.', '已绑定“手机”。')).waitFor();
    await screen(wallet, 'wallet-124-devices-bound');
  }, wallet);

  await step('the same device is bound once only', async () => {
    await bind.click();
    await wallet.getByText(say('This device is bound already.', '此设备已绑定。')).waitFor();
  }, wallet);

  await step('sign in with the device, without number and passcode', async () => {
    await goHome(wallet, say);
    await signOut();
    await screen(wallet, 'wallet-125-welcome-device');
    await byDevice.click();
    await wallet.getByRole('heading', { name: say('Hello, Test Person', '测试者，您好') }).waitFor();
  }, wallet);
}

/** J4: above the limit the till says that the phone will do too, and it does. */
export async function approveJourney(stage) {
  const { wallet, till, say, step, screen } = stage;
  await declined(stage);

  await step('above the small sum the payer approves on the phone instead of giving the passcode', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    await payByLook(stage, '20100');
    await till.getByText(say('Or approve on your phone: open the wallet.', '或在手机上批准：请打开钱包。')).waitFor({ timeout: 30_000 });
    await screen(till, 'till-90-or-phone');
    const approve = wallet.getByRole('button', { name: say('Approve ¥201.00', '批准 ¥201.00') });
    await approve.waitFor();
    await screen(wallet, 'wallet-126-waiting');
    await setOwner(wallet, false);
    await approve.click();
    await wallet.getByText(say('It was not approved on a bound device.', '未在已绑定的设备上批准。')).waitFor();
    await setOwner(wallet, true);
    await approve.click();
    await wallet.getByText(say(/^¥201\.00 to .* is paid\.$/, /^已向.*付款 ¥201\.00。$/)).waitFor();
    await screen(wallet, 'wallet-127-approved');
    await expectPaid(stage, '¥201.00');
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - 20_100);
  }, till);
}

/** What the phone's owner does not want to pay. */
async function declined(stage) {
  const { wallet, till, say, step, screen, camera } = stage;

  await step('what the payer declines on the phone is not paid, and the till says so', async () => {
    camera.show('personALater');
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Top up', '充值') }).click();
    await wallet.getByLabel(say('Amount (¥)', '金额（元）')).fill('201.00');
    await wallet.getByRole('button', { name: say('Top up ¥201.00', '充值 ¥201.00') }).click();
    await wallet.getByText(say(/^¥201\.00 arrived/, /^¥201\.00 已到账/)).waitFor();
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    await payByLook(stage, '20100');
    await wallet.getByRole('button', { name: say('Do not pay', '不付款') }).click();
    await wallet.getByText(say(/ was declined\. Nothing was charged\.$/, /未扣款。$/)).waitFor();
    await screen(wallet, 'wallet-135-declined');
    await expectRefused(stage, 'It was declined on the phone.', '已在手机上拒绝付款。');
    await screen(till, 'till-91-declined');
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, till);
}

/** J11: the phone is lost. Its approvals are frozen from any browser with the passcode, and a new phone takes its place. */
export async function lostPhoneJourney({ wallet, say, step, screen, open, walletUrl, phone, passcode }) {
  const own = `137${phone.slice(3)}`;
  const visit = async (what, work) => {
    const page = await open(what, { width: 390, height: 844 }, walletUrl);
    await work(page).finally(() => page.context().close());
  };

  await step('lost phone: frozen from another browser, it signs nobody in; a new one takes its place', async () => {
    await visit('the lost phone', async (lost) => {
      await signUp(lost, say, own, passcode);
      await follow(lost, say('Bind this phone', '绑定这部手机'));
      await lost.getByRole('button', { name: say('Bind this device', '绑定此设备') }).click();
      await lost.getByText(say('My device is bound.', '已绑定“我的设备”。')).waitFor();
      await visit('another browser', async (other) => {
        const begun = Date.now();
        await signIn(other, say, own, passcode);
        await other.goto(`${other.url().split('#')[0]}#/safety`);
        await other.getByRole('button', { name: say('Freeze phone approvals', '冻结手机批准') }).click();
        await other.getByText(say('Phone approvals are frozen.', '手机批准已冻结。')).waitFor();
        console.log(`      J11 freeze: ${((Date.now() - begun) / 1000).toFixed(1)} s (target 60 s)`);
        await screen(other, 'wallet-128-approvals-frozen');
      });
      await lost.context().clearCookies();
      await lost.reload();
      await lost.getByRole('button', { name: say('Sign in with this device', '用此设备登录') }).click();
      await lost.getByText(say('This passkey is not, or no longer, one of this account’s.', '此通行密钥不属于该账户，或已被移除。')).waitFor();
      await screen(lost, 'wallet-129-device-refused');
    });
    await visit('a new phone', async (fresh) => {
      await signIn(fresh, say, own, passcode);
      await follow(fresh, say('My devices', '我的设备'));
      await fresh.getByLabel(say('Name of the device', '设备名称')).fill(say('New phone', '新手机'));
      await screen(fresh, 'wallet-130-rebind');
      await fresh.getByLabel(say('Your payment passcode', '您的支付密码')).fill(passcode);
      await fresh.getByRole('button', { name: say('Bind in place of the lost one', '绑定以替换丢失的设备') }).click();
      await fresh.getByText(say('New phone is bound.', '已绑定“新手机”。')).waitFor();
      assert.equal(await fresh.getByRole('button', { name: say(/^Remove/, /^移除/) }).count(), 1);
      await screen(fresh, 'wallet-131-rebound');
    });
  }, wallet);
}
