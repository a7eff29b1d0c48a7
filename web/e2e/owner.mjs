// What owners do about their safety: J9 closing, J10 right to know, J11 lost phone, limits, the passcode under threat.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pay, topUp } from './money.mjs';
import { backToAmount, expectPaid, expectRefused, next, payByLook, typeCode } from './till.mjs';
import { follow, goHome, signIn, signUp } from './wallet.mjs';

/** J11: the phone is gone; and the passcode under threat, which neither thaws nor shows. */
export async function safetyJourney(stage) {
  const { wallet, till, say, step, screen, open, walletUrl, phone, passcode } = stage;
  const duress = passcode === '274916' ? '619472' : '274916';
  const label = { own: say('Your payment passcode', '您的支付密码'), duress: say('Passcode under threat', '被胁迫时的密码'), again: say('The same again', '再输入一次') };
  const save = wallet.getByRole('button', { name: say('Save', '保存') });
  const set = async (own, wanted, again = wanted) => {
    await wallet.getByLabel(label.duress).fill(wanted);
    await wallet.getByLabel(label.again).fill(again);
    await wallet.getByLabel(label.own).fill(own);
    await save.click();
  };

  await step('lost phone: frozen from another one in less than a minute', async () => {
    const begun = Date.now();
    const other = await open('another phone', { width: 390, height: 844 }, walletUrl);
    try {
      await signIn(other, say, phone, passcode);
      await follow(other, say('Lost phone, freeze', '手机丢失、冻结账户'));
      await screen(other, 'wallet-90-freeze');
      await other.getByRole('button', { name: say('Freeze now', '立即冻结') }).click();
      await other.getByText(say('Your account is frozen.', '您的账户已冻结。')).waitFor();
      console.log(`      J11 frozen, with a screenshot: ${((Date.now() - begun) / 1000).toFixed(1)} s of at most 60 s`);
      assert.ok(Date.now() - begun < 60_000);
    } finally {
      await other.context().close();
    }
  }, wallet);

  await step('passcode under threat: refused when it is the own one or easy, then set', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Lost phone, freeze', '手机丢失、冻结账户'));
    await follow(wallet, say('Passcode for when somebody threatens you', '被胁迫时使用的密码'));
    await screen(wallet, 'wallet-91-duress');
    await set(passcode, duress, '111111');
    await wallet.getByText(say('The two differ.', '两次输入不一致。')).waitFor();
    await set(passcode, passcode);
    await wallet.getByText(say('It must differ from your payment passcode.', '必须与支付密码不同。')).waitFor();
    await set(passcode, '123456');
    await wallet.getByText(say('The passcode is too easy to guess.', '密码过于简单。')).waitFor();
    await screen(wallet, 'wallet-92-duress-refused');
    await set(passcode, duress);
    await wallet.getByText(say('Done. From now on it is as you asked.', '完成，已按您的要求处理。')).waitFor();
    await screen(wallet, 'wallet-93-duress-set');
  }, wallet);

  await step('the passcode under threat does not thaw, and looks like a wrong one', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Thaw', '解冻'));
    const thaw = async (code) => {
      await wallet.getByLabel(say('Payment passcode', '支付密码')).fill(code);
      await wallet.getByRole('button', { name: say('Thaw with my passcode', '用支付密码解冻') }).click();
    };
    await thaw(duress);
    await wallet.getByText(say('The passcode is wrong.', '支付密码错误。')).waitFor();
    await thaw(passcode);
    await wallet.getByText(say('Thawed. You can pay again.', '已解冻，可以继续付款。')).waitFor();
  }, wallet);

  await step('the passcode under threat pays at the till and shows nothing', async () => {
    // Not more: a run by night in China stays below what may be paid in a night.
    await goHome(wallet, say);
    await topUp(stage, '200');
    await payByLook(stage, '20200');
    await till.getByRole('heading', { name: say('Payment passcode', '支付密码') }).waitFor({ timeout: 30_000 });
    await typeCode(stage, duress);
    await till.getByRole('button', { name: say('Pay', '付款'), exact: true }).click();
    await expectPaid(stage, '¥202.00');
    await screen(till, 'till-81-paid-under-threat');
    await next(stage);
  }, till);

  await step('the passcode under threat is taken away', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Lost phone, freeze', '手机丢失、冻结账户'));
    await follow(wallet, say('Passcode for when somebody threatens you', '被胁迫时使用的密码'));
    await wallet.getByRole('radio', { name: say('Take it away', '取消') }).check();
    await wallet.getByLabel(label.own).fill(passcode);
    await save.click();
    await wallet.getByText(say('Done. From now on it is as you asked.', '完成，已按您的要求处理。')).waitFor();
    await screen(wallet, 'wallet-94-duress-removed');
  }, wallet);
}

/** A trusted helper: asked, agreed, told of a large payment, freezes; only the owner thaws. */
export async function helperJourney(stage) {
  const { wallet, till, say, step, screen, open, walletUrl, phone, passcode } = stage;
  const friend = `136${phone.slice(3)}`;
  const title = say('Trusted helpers', '信任的帮手');
  const me = say('Test Person', '测试者');
  const ask = wallet.getByRole('button', { name: say('Ask', '发出请求'), exact: true });
  const other = await open('a helper', { width: 390, height: 844 }, walletUrl);
  try {
    await step('helper: asking says what is missing, and takes the passcode', async () => {
      await signUp(other, say, friend, passcode);
      await goHome(wallet, say);
      await follow(wallet, title);
      await ask.click();
      await wallet.getByText(say('Enter the 11 digits of a mainland mobile number.', '请输入 11 位大陆手机号。')).waitFor();
      await wallet.getByLabel(say('The helper’s mobile number', '帮手的手机号')).fill(phone);
      await wallet.getByLabel(say('Your payment passcode', '您的支付密码')).fill(passcode);
      await ask.click();
      await wallet.getByText(say(/^This number was asked before, is your own/, /^该号码已请求过、是您自己的/)).waitFor();
      await wallet.getByLabel(say('The helper’s mobile number', '帮手的手机号')).fill(friend);
      await wallet.getByLabel(say('Your payment passcode', '您的支付密码')).fill(passcode);
      await ask.click();
      await wallet.getByText(say('Asked. It begins when the helper agrees.', '已发出。对方同意后生效。')).waitFor();
      await screen(wallet, 'wallet-110-helpers');
    }, wallet);

    await step('helper: whoever was asked is told by whom, and agrees', async () => {
      await goHome(other, say);
      await other.getByText(say(new RegExp(`^${me} .* asks you to be a trusted helper`), new RegExp(`^${me}（.*）请您做信任的帮手`))).waitFor();
      await screen(other, 'wallet-111-helper-asked');
      await other.getByRole('link', { name: title }).first().click();
      await other.getByRole('button', { name: say('Agree', '同意') }).click();
      await other.getByRole('link', { name: say(`Open: ${me}`, `打开：${me}`) }).waitFor();
      await screen(other, 'wallet-112-helper-agreed');
    }, other);

    await step('helper: a large payment is pointed out', async () => {
      await goHome(wallet, say);
      await topUp(stage, '200');
      await pay(stage, '20000', '¥200.00');
      await goHome(other, say);
      await other.reload();
      await other.getByText(say(/ of ¥200\.00 or more since yesterday/, /昨天以来有 \d 笔 ¥200\.00 及以上的付款/)).waitFor();
      await follow(other, say(`Open: ${me}`, `打开：${me}`));
      await other.getByText(say('Large', '大额'), { exact: true }).first().waitFor();
      await screen(other, 'wallet-113-helped');
    }, till);

    await step('helper: freezes, and only the owner thaws', async () => {
      await other.getByRole('button', { name: say(`Freeze the account of ${me}`, `冻结${me}的账户`) }).click();
      await other.getByText(say('The account is frozen.', '账户已冻结。')).waitFor();
      assert.equal(await other.getByRole('button', { name: say(/Thaw/, /解冻/) }).count(), 0);
      await goHome(wallet, say);
      await wallet.getByText(say('Your account is frozen.', '您的账户已冻结。')).waitFor();
      await follow(wallet, title);
      await wallet.getByText(say(/^Froze your account at/, /冻结了您的账户$/)).waitFor();
      await screen(wallet, 'wallet-114-helper-froze');
      await goHome(wallet, say);
      await follow(wallet, say('Thaw', '解冻'));
      await wallet.getByText(say(/a trusted helper froze the account/, /信任的帮手冻结了账户/)).waitFor();
      await wallet.getByLabel(say('Payment passcode', '支付密码')).fill(passcode);
      await wallet.getByRole('button', { name: say('Thaw with my passcode', '用支付密码解冻') }).click();
      await wallet.getByText(say('Thawed. You can pay again.', '已解冻，可以继续付款。')).waitFor();
    }, wallet);

    await step('helper: either ends it, and then there is nothing to see', async () => {
      await goHome(wallet, say);
      await follow(wallet, title);
      await wallet.getByRole('button', { name: say('End: Second Person', '结束：第二人') }).click();
      await wallet.getByText(say('Nobody helps you yet.', '还没有人帮您。')).waitFor();
      await other.reload();
      await other.getByText(say('You do not help with this account, or no longer.', '您没有在帮助这个账户，或已经结束。')).waitFor();
      await screen(other, 'wallet-115-helper-ended');
    }, wallet);
  } finally {
    await other.context().close();
  }
}

/** Safe limits, what they refuse, and that higher ones wait. */
export async function limitsJourney(stage) {
  const { wallet, till, say, step, screen } = stage;
  const group = (name) => wallet.getByRole('group', { name });
  const payment = say('One payment, at most', '单笔最多');
  const save = wallet.getByRole('button', { name: say('Save', '保存'), exact: true });

  await step('limits: the passcode every time, as for twins; a look alone pays nothing', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Set my limits', '设置我的限额'));
    await group(say('Passcode at the till', '收银台支付密码')).getByRole('radio', { name: say('Always', '每次都要') }).check();
    for (const none of await wallet.getByRole('radio', { name: say('No limit of mine', '我不设限') }).all()) await none.check();
    await save.click();
    await wallet.getByText(say('Saved. These limits are in force.', '已保存，这些限额已生效。')).waitFor();
    await screen(wallet, 'wallet-99-limits-passcode');
    await payByLook(stage, '1');
    await till.getByRole('heading', { name: say('Payment passcode', '支付密码') }).waitFor({ timeout: 30_000 });
    await till.getByRole('button', { name: say('Cancel', '取消') }).click();
    await till.getByText(say('Nothing was charged.', '没有扣款。')).waitFor();
    await backToAmount(stage);
  }, till);

  await step('limits: safe ones are proposed and count at once', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Set my limits', '设置我的限额'));
    await wallet.getByText(say('You have set no sums yet.', '您还没有设置金额。')).waitFor();
    assert.ok(await group(payment).getByRole('radio', { name: '¥200' }).isChecked());
    await screen(wallet, 'wallet-95-limits-proposed');
    await save.click();
    await wallet.getByText(say('Saved. These limits are in force.', '已保存，这些限额已生效。')).waitFor();
    await screen(wallet, 'wallet-96-limits-in-force');
  }, wallet);

  await step('limits: a higher payment is refused, nothing is charged', async () => {
    await payByLook(stage, '20001');
    await expectRefused(stage, 'The amount is above a limit of this account.', '金额超过该账户的限额。');
    await screen(till, 'till-82-refused-limit');
    await backToAmount(stage);
  }, till);

  await step('limits: what is raised waits a day, and can be called off', async () => {
    await group(payment).getByRole('radio', { name: '¥1,000' }).check();
    await save.click();
    await wallet.getByText(say(/^Saved\. What is lower counts now/, /^已保存。调低的现在生效/)).waitFor();
    await screen(wallet, 'wallet-97-limits-waiting');
    await wallet.getByRole('button', { name: say('Do not raise', '不再调高') }).click();
    await wallet.getByText(say('Saved. These limits are in force.', '已保存，这些限额已生效。')).waitFor();
    assert.equal(await wallet.getByRole('button', { name: say('Do not raise', '不再调高') }).count(), 0);
  }, wallet);
}

/** The right-to-know list, looked through and kept. */
export async function exportJourney({ wallet, say, step, screen }) {
  const keep = async (name) => {
    const [file] = await Promise.all([wallet.waitForEvent('download'), wallet.getByRole('button', { name }).click()]);
    return readFileSync(await file.path(), 'utf8');
  };

  await step('right to know: filtered, and kept as a table and as data', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Who asked about my face', '谁查询过我的脸'));
    await wallet.getByRole('radio', { name: say('Not paid', '未付款') }).check();
    const articles = wallet.getByRole('article');
    const refused = await articles.count();
    assert.ok(refused > 0);
    assert.equal(await articles.filter({ hasText: say(/Outcome\s*paid/, /结果\s*已付款/) }).count(), 0);
    await screen(wallet, 'wallet-98-queries-unpaid');
    const rows = JSON.parse(await keep(say('As data (JSON)', '数据（JSON）')));
    assert.ok(rows.length >= refused && rows.every(({ kind, outcome }) => kind === 'identification' && outcome !== 'paid'));
    const [head, ...lines] = (await keep(say('As a table (CSV)', '表格（CSV）'))).trim().split('\r\n');
    assert.equal(head, 'id,at,kind,asked_by,store_name,amount_minor,searched,place,outcome');
    assert.equal(lines.length, rows.length);
    await wallet.getByRole('radio', { name: say('Enrolment, deletion, places', '登记、删除与地点') }).check();
    assert.equal(await articles.count(), 1);
  }, wallet);
}

/** J9: an account with money stays open; an empty one is closed for good. */
export async function closeJourney({ wallet, say, step, screen, open, walletUrl, phone, passcode }) {
  const close = (page) => page.getByRole('button', { name: say('Close for good', '永久注销') });

  await step('an account with money cannot be closed, and it is said why', async () => {
    await goHome(wallet, say);
    await follow(wallet, say('Lost phone, freeze', '手机丢失、冻结账户'));
    await follow(wallet, say('Close the account', '注销账户'));
    assert.equal(await close(wallet).getAttribute('aria-disabled'), 'true');
    await wallet.getByText(say(/^There are still ¥/, /^账户中还有 ¥/)).waitFor();
    await screen(wallet, 'wallet-100-close-with-money');
  }, wallet);

  await step('an empty account is closed with the passcode; nobody signs in to it again', async () => {
    const page = await open('a second account', { width: 390, height: 844 }, walletUrl);
    const own = `138${phone.slice(3)}`;
    try {
      await signUp(page, say, own, passcode);
      await follow(page, say('Lost phone, freeze', '手机丢失、冻结账户'));
      await follow(page, say('Close the account', '注销账户'));
      await page.getByLabel(say('Payment passcode', '支付密码')).fill('918273');
      await close(page).click();
      await page.getByText(say('The passcode is wrong.', '支付密码错误。')).waitFor();
      await screen(page, 'wallet-101-close-refused');
      await page.getByLabel(say('Payment passcode', '支付密码')).fill(passcode);
      await close(page).click();
      await page.getByRole('heading', { name: say('This account is closed.', '该账户已注销。') }).waitFor();
      await screen(page, 'wallet-102-closed');
      await page.getByRole('button', { name: say('Leave', '离开') }).click();
      await signIn(page, say, own, passcode, say('The phone number and passcode do not fit.', '手机号与密码不匹配。'));
    } finally {
      await page.context().close();
    }
  }, wallet);
}

/** The screens of this file at twice the text size. */
export async function largeTextJourney({ wallet, say, step, screen }) {
  await step('the owner’s screens fit at 200 % text', async () => {
    await goHome(wallet, say);
    const root = wallet.url().split('#')[0];
    await wallet.evaluate(() => void (document.documentElement.style.fontSize = '200%'));
    try {
      for (const view of ['enrol', 'top-up', 'limits', 'safety', 'devices', 'duress', 'disputes', 'helpers', 'activity', 'queries', 'close', 'delete', 'privacy', 'terms', 'places']) {
        await wallet.goto(`${root}#/${view}`);
        await wallet.getByRole('heading', { level: 1 }).waitFor();
        await wallet.waitForLoadState('networkidle');
        await screen(wallet, `wallet-110-large-${view}`);
      }
      await wallet.goto(`${root}#/activity`);
      await wallet.getByRole('link').filter({ hasText: say('Payment ·', '付款 ·') }).first().click();
      await wallet.getByText(say('What judged it', '判定依据')).waitFor();
      await screen(wallet, 'wallet-110-large-receipt');
      await follow(wallet, say('Not me', '不是我'));
      await wallet.getByRole('radio').first().waitFor();
      await screen(wallet, 'wallet-110-large-not-me');
    } finally {
      await wallet.evaluate(() => void (document.documentElement.style.fontSize = ''));
    }
  }, wallet);
}
