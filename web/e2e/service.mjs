// J21: customer service finds a case by its reference, sees it masked, can freeze and nothing else; its owner sees all of it.

import assert from 'node:assert/strict';
import { pay } from './money.mjs';
import { backToAmount, expectRefused, payByLook } from './till.mjs';
import { follow, goHome, tabTo } from './wallet.mjs';

const window_px = { width: 1024, height: 768 };

/** A payment of the shopper of the other journeys is asked about at the desk. */
export async function serviceJourney(stage) {
  const { say, step, screen, language, wallet, passcode } = stage;
  const desk = await deskOf(stage, 'desk');
  let reference;
  let clerk;
  let begun;

  await step('J21: a code that nobody made is refused, then somebody comes in by the operator’s invitation', async () => {
    await goHome(wallet, say);
    await pay(stage, '4200', '¥42.00');
    reference = await wallet.evaluate(() => fetch('/v1/activity?limit=1').then((answer) => answer.json()).then((page) => page.data[0].id));
    assert.match(reference, /^pay_/);
    await desk.getByRole('heading', { name: say('Come in', '登录') }).waitFor();
    await screen(desk, 'service-01-come-in');
    await join(stage, desk, '7Q4M-0XKD-R2TN-9WVA');
    await desk.getByText(say('This code is not valid, or no longer.', '该码无效或已失效。')).waitFor();
    await screen(desk, 'service-02-code-refused');
    const invited = invite(stage, `Sun ${language}`);
    assert.ok(invited.open.endsWith(`/service/#/join/${invited.code}`));
    clerk = invited.clerk;
    await join(stage, desk, invited.code);
    await desk.getByRole('heading', { name: say('Find a case', '查找记录') }).waitFor();
    await screen(desk, 'service-03-find');
    const again = await deskOf(stage, 'desk that comes late', invited.open);
    await again.getByRole('button', { name: say('Come in and make my passkey', '加入并创建通行密钥') }).click();
    await again.getByText(say('This code is not valid, or no longer.', '该码无效或已失效。')).waitFor();
    await again.context().close();
  }, desk);

  await step('J21: nobody is found by name, number or a reference that does not exist', async () => {
    const button = desk.getByRole('button', { name: say('Look up', '查询'), exact: true });
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
    for (const typed of [stage.phone, say('Alice', '李雷'), 'pay_00000000000000000000000001']) {
      await lookUp(stage, desk, typed);
      await desk.getByText(say('No case has this reference.', '没有此编号对应的记录。')).waitFor();
    }
    await desk.getByText(say('57 of 60 look-ups are left in this hour', '本小时还可查询 57 次，共 60 次')).waitFor();
    await screen(desk, 'service-04-unknown');
  }, desk);

  await step('J21: a case by its reference, masked, with what can be read out in both languages', async () => {
    await desk.getByRole('button', { name: say('Sign out', '退出登录') }).click();
    begun = Date.now();
    await desk.getByRole('button', { name: say('Sign in with my passkey', '使用通行密钥登录') }).click();
    await lookUp(stage, desk, ` ${reference.slice(0, 12)} ${reference.slice(12).toUpperCase()}`);
    await desk.getByRole('heading', { name: say(`Case ${reference}`, `记录 ${reference}`) }).waitFor();
    await desk.getByText('¥42.00').waitFor();
    const text = await desk.locator('main').innerText();
    assert.ok(text.includes(`*******${stage.phone.slice(-4)}`) && !text.includes(stage.phone));
    for (const said of ['这笔付款已完成。', 'It was paid.']) assert.ok(text.includes(said), said);
    await screen(desk, 'service-05-case');
    const { name, balance_minor } = await wallet.evaluate(() => fetch('/v1/me').then((answer) => answer.json()));
    assert.ok(!text.includes(name) && text.includes(`${[...name][0]}**`));
    assert.ok(!text.includes((balance_minor / 100).toFixed(2)), 'no balance');
    assert.match(text, say(/Raise limits: the owner alone, with the bound device/, /提高限额：只有所有人能用已绑定的设备/));
  }, desk);

  await step('J21: the account is frozen with a reason, by keys alone, and frozen once only', async () => {
    await tabTo(desk, say('The caller asks for it', '来电人要求'));
    await desk.keyboard.press('Space');
    await desk.keyboard.press('ArrowDown');
    await tabTo(desk, say('Freeze now', '立即冻结'));
    await desk.keyboard.press('Enter');
    await desk.getByText(say('The account is frozen.', '账户已冻结。')).waitFor();
    console.log(`      J21 from sign-in to frozen, with a screenshot: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    await screen(desk, 'service-06-frozen');
    await desk.getByRole('button', { name: say('Close this case', '关闭此记录') }).click();
    assert.ok(!(await desk.locator('main').innerText()).includes(reference));
    await lookUp(stage, desk, reference);
    await desk.getByText(say('The account is frozen already.', '账户已经冻结。')).waitFor();
    assert.equal(await desk.getByRole('button', { name: say('Freeze now', '立即冻结') }).getAttribute('aria-disabled'), 'true');
    await screen(desk, 'service-07-frozen-already');
  }, desk);

  await step('J21: why a payment was refused is read out in both languages', async () => {
    await payByLook(stage, '700');
    await expectRefused(stage, 'The account is frozen.', '账户已冻结。');
    await backToAmount(stage);
    const refused = await wallet.evaluate(() => fetch('/v1/queries?limit=1').then((answer) => answer.json()).then((page) => page.data[0].payment));
    await lookUp(stage, desk, refused);
    await desk.getByText('¥7.00').waitFor();
    for (const said of ['The account is frozen. Thaw it in the wallet, or pay another way.', '账户已冻结。请在钱包中解冻，或用其他方式付款。']) await desk.getByText(said).first().waitFor();
    await screen(desk, 'service-07-refused');
  }, desk);

  await step('J21: the owner is told who looked, when and by what, and alone thaws', async () => {
    await goHome(wallet, say);
    await wallet.getByRole('link', { name: say('Customer service', '客户服务') }).click();
    await wallet.getByText(say('Your account was frozen', '冻结了您的账户')).waitFor();
    await wallet.getByText(say('Because a caller said that the phone is lost.', '原因：来电人称手机丢失。')).waitFor();
    assert.equal(await wallet.getByText(say('A case of yours was looked at', '查看了您的一条记录')).count(), 3);
    assert.equal(await wallet.getByText(clerk).count(), 4);
    await screen(wallet, 'service-08-wallet-log');
    await goHome(wallet, say);
    await follow(wallet, say('Thaw', '解冻'));
    await wallet.getByText(say(/customer service froze the account/, /客户服务冻结了账户/)).first().waitFor();
    await screen(wallet, 'service-09-wallet-notice');
    await wallet.getByLabel(say('Payment passcode', '支付密码')).fill(passcode);
    await wallet.getByRole('button', { name: say('Thaw with my passcode', '用支付密码解冻') }).click();
    await wallet.getByText(say('Thawed. You can pay again.', '已解冻，可以继续付款。')).waitFor();
  }, wallet);

  await step('J21: a dispute by its own reference, with its clock and not why', async () => {
    const ask = (path, body) =>
      wallet.evaluate(
        ([path, body]) =>
          fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-handsel-wallet': '1', 'idempotency-key': crypto.randomUUID() },
            body: JSON.stringify(body),
          }).then((answer) => answer.json()),
        [path, body],
      );
    const opened = await ask('/v1/disputes', { payment: reference, cause: 'forced', freeze: false });
    await desk.getByRole('button', { name: say('Close this case', '关闭此记录') }).click();
    await lookUp(stage, desk, opened.id);
    await desk.getByText(say(/^15 days are left: it is decided by/, /^还剩 15 天：最晚/)).waitFor();
    await screen(desk, 'service-09-dispute');
    assert.equal((await ask(`/v1/disputes/${opened.id}/withdraw`, {})).status, 'withdrawn');
  }, desk);

  await step('J21: the desk with text at 200 %', async () => {
    await desk.setViewportSize({ width: 512, height: 768 });
    await desk.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    await desk.getByRole('button', { name: say('Close this case', '关闭此记录') }).click();
    await lookUp(stage, desk, reference);
    await desk.getByRole('heading', { name: say(`Case ${reference}`, `记录 ${reference}`) }).waitFor();
    await screen(desk, 'service-10-large-text');
    await desk.evaluate(() => (document.documentElement.style.fontSize = ''));
    await desk.setViewportSize(window_px);
  }, desk);

  await step('J21: as many cases as one person may look up, and no more', async () => {
    await desk.evaluate(async () => {
      const headers = { 'content-type': 'application/json', 'x-handsel-service': '1' };
      const body = JSON.stringify({ reference: 'pay_00000000000000000000000001' });
      for (let most = 60; most > 0; most--) {
        const answer = await fetch('/v1/service/look-ups', { method: 'POST', headers, body });
        if (answer.status === 429 && (await answer.json()).code === 'look_ups_spent') return;
        // Whoever asks faster than ten times a second waits.
        if (answer.status === 429) await new Promise((resolve) => setTimeout(resolve, 500));
      }
    });
    await lookUp(stage, desk, reference);
    await desk.getByText(say('You have looked up as many cases as one person may in an hour.', '您一小时内可查询的次数已用完。')).waitFor();
    await desk.getByText(say('0 of 60 look-ups are left in this hour', '本小时还可查询 0 次，共 60 次')).waitFor();
    await screen(desk, 'service-11-spent');
  }, desk);

  await step('J21: whoever is removed is out at once, and a new invitation is needed', async () => {
    stage.admin('service remove', clerk);
    await lookUp(stage, desk, reference);
    await desk.getByText(say('You are signed out.', '您已退出登录。')).waitFor();
    await screen(desk, 'service-12-removed');
    await desk.getByRole('button', { name: say('Sign in with my passkey', '使用通行密钥登录') }).click();
    await desk.getByText(say('This passkey is not, or no longer, one of this account’s.', '此通行密钥不属于该账户，或已被移除。')).waitFor();
    const lines = stage.admin('service looks').trim().split('\n').map((line) => JSON.parse(line)).filter((line) => line.clerk === clerk);
    assert.equal(lines.filter(({ act }) => act === 'look_up').length, 60);
    assert.deepEqual(lines.filter(({ act }) => act === 'freeze').map(({ reference, reason }) => [reference, reason]), [[reference, 'phone_lost']]);
    const people = stage.admin('service list').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    assert.ok(people.every((person) => person.clerk !== clerk));
  }, desk);
  await desk.context().close();
}

/** A desk on a device of its own, which has fingerprint and keys. */
const deskOf = ({ open, walletUrl }, what, path = '/service/') => open(what, window_px, new URL(path, walletUrl).href, []);

const invite = ({ admin }, name) => JSON.parse(admin('service invite', '--name', name));

async function join({ say }, page, code) {
  await page.getByLabel(say('Invitation code', '邀请码')).fill(code);
  await page.getByRole('button', { name: say('Come in and make my passkey', '加入并创建通行密钥') }).click();
}

async function lookUp({ say }, page, typed) {
  await page.getByLabel(say('Reference', '编号'), { exact: true }).fill(typed);
  await page.getByRole('button', { name: say('Look up', '查询'), exact: true }).click();
}
