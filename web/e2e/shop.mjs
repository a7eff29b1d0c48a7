// The merchant console: J12 from the invitation to a till that takes payments, J7 with a manager's approval, and the day's work.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pay } from './money.mjs';
import { goHome, tabTo } from './wallet.mjs';

const window_px = { width: 1024, height: 768 };
const demo_shop = 'mer_00000000000000000000000001';
const store_min = 10;
const till_min = 5;

/** J12: a merchant that is new, its head office, bank account, store and till. */
export async function shopSetupJourney(stage) {
  const { say, step, screen, folder, language } = stage;
  const merchant = JSON.parse(stage.admin('merchant register', say('Lotus Tea', '荷花茶馆'))).merchant;
  const page = await consoleOf(stage, 'console setup');
  const place = say('31.2304, 121.4737', '31.2305, 121.4738');
  let code;

  await step('console: an invitation that nobody made is refused, and a device that makes no passkey', async () => {
    await page.getByRole('heading', { name: say('Come in', '登录') }).waitFor();
    await screen(page, 'shop-01-come-in');
    const join = page.getByRole('button', { name: say('Come in and make my passkey', '加入并创建通行密钥') });
    assert.equal(await join.getAttribute('aria-disabled'), 'true');
    await page.getByLabel(say('Invitation code', '邀请码')).fill('7Q4M-0XKD-R2TN-9WVA');
    await join.click();
    await page.getByText(say('This code is not valid, or no longer.', '该码无效或已失效。')).waitFor();
    await screen(page, 'shop-02-code-refused');
    await page.getByRole('button', { name: say('Sign in with my passkey', '使用通行密钥登录') }).click();
    await page.getByText(say('The device made no passkey.', '设备没有创建或提供通行密钥。')).waitFor({ timeout: 20_000 });
  }, page);

  await step('console: the first owner comes in by the operator’s invitation', async () => {
    await comeIn(stage, page, invite(stage, merchant, 'Chen'));
    await page.getByText(say('Nothing was paid on this day.', '这一天没有收款。')).first().waitFor();
    await screen(page, 'shop-03-today-empty');
  }, page);

  await step('console: head office, and a credit code that is wrong', async () => {
    await go(page, say('Head office', '总部'));
    await page.getByLabel(say('Name as registered', '登记名称')).fill(say('Lotus Tea Ltd', '荷花茶馆有限公司'));
    const credit = page.getByLabel(say('Unified social credit code', '统一社会信用代码'), { exact: true });
    await credit.fill('91350100M000100Y44');
    await page.getByText(say('The last character does not fit the others.', '最后一位校验码不符。')).waitFor();
    await screen(page, 'shop-04-office-refused');
    await credit.fill('91350100M000100Y43');
    await page.getByRole('button', { name: say('Save', '保存'), exact: true }).click();
    await page.getByText(say('Saved. Tills stay bound to what they were.', '已保存。已激活的收银台绑定信息不变。')).waitFor();
    await screen(page, 'shop-05-office');
  }, page);

  await step('console: without an approved bank account no till is activated', async () => {
    await go(page, say('Stores and tills', '门店与收银台'));
    await page.getByText(say('Before a till can be activated: Approved bank account.', '激活收银台前还缺：已审核的结算账户。')).first().waitFor();
    await screen(page, 'shop-06-elements-missing');
    await go(page, say('Money', '结算'));
    await page.getByLabel(say('Account holder', '户名')).fill(say('Lotus Tea Ltd', '荷花茶馆有限公司'));
    await page.getByLabel(say('Bank code', '行号')).fill('102100099996');
    await page.getByLabel(say('Account number', '账号')).fill(say('6222021001112223', '6222021001112224'));
    await page.getByRole('button', { name: say('Ask for it', '提交申请') }).click();
    await page.getByText(say('waits for approval', '待审核')).waitFor();
    await screen(page, 'shop-07-bank-account');
    const account = await page.evaluate(() => fetch('/v1/bank-accounts').then((answer) => answer.json()));
    stage.admin('settlement bank-account', account.data[0].id, 'approve', '--by', 'Li', '--reason', 'asked back');
  }, page);

  await step('J12: a store is opened in less than ten minutes', async () => {
    const begun = Date.now();
    await go(page, say('Stores and tills', '门店与收银台'));
    await page.getByRole('button', { name: say('Open a store', '新开门店') }).click();
    await page.getByLabel(say('Name', '名称'), { exact: true }).fill(say('Riverside', '江边店'));
    await page.getByLabel(say('City', '城市')).fill(say('Shanghai', '上海'));
    await page.getByLabel(say('Street and number', '街道与门牌')).fill(say('Nanjing Road 1', '南京路 1 号'));
    await page.getByLabel(say('Position', '位置')).fill(say('by the river', '江边'));
    await page.getByText(say('The position is two numbers with a comma between them.', '位置为两个数字，以逗号分隔。')).waitFor();
    await screen(page, 'shop-08-store-refused');
    await page.getByLabel(say('Position', '位置')).fill(place);
    await page.getByRole('button', { name: say('Save', '保存'), exact: true }).click();
    await page.getByRole('heading', { name: say('Riverside', '江边店') }).waitFor();
    tell('J12 store opened, with a screenshot', begun, store_min);
  }, page);

  await step('J12: a till is activated in less than five minutes, in the store only', async () => {
    const begun = Date.now();
    await page.getByRole('button', { name: say('Activate a till at Riverside', '在江边店激活收银台') }).click();
    code = await page.locator('.code').innerText();
    await screen(page, 'shop-09-activation-code');
    const elsewhere = await activate(stage, code, '39.9042,116.4074').catch((error) => error);
    assert.match(String(elsewhere.stderr), /The device is not where the store is/);
    const till = JSON.parse((await activate(stage, code, place.replace(' ', ''))).stdout);
    assert.equal(till.status, 'active');
    await page.getByText(say('The till takes payments.', '收银台可以收款。')).waitFor();
    await page.getByText(say('One till takes payments.', '1 台收银台可以收款。')).waitFor();
    await page.getByText(`SN-${language}-0001`).waitFor();
    await screen(page, 'shop-10-activation-active');
    tell('J12 till active, two screenshots and a refusal included', begun, till_min);
    const config = readFileSync(join(folder, `new-till-${language}`, 'node.toml'), 'utf8');
    assert.ok(config.includes(till.terminal));
    const again = await activate(stage, code, place.replace(' ', '')).catch((error) => error);
    assert.match(String(again.stderr), /This code is not valid/);
  }, page);

  await step('console: a till is taken out of use', async () => {
    await page.getByRole('button', { name: say(`Take out of use: SN-${language}-0001`, `停用SN-${language}-0001`) }).click();
    await page.getByText(say('out of use', '已停用'), { exact: true }).waitFor();
    await screen(page, 'shop-11-till-stopped');
  }, page);
  await page.context().close();
}

/** The day's work in the shop that the other journeys pay at: figures, orders, J7, disputes, people, connections. */
export async function shopWorkJourney(stage) {
  const { say, step, screen, language, wallet } = stage;
  const owner = await consoleOf(stage, 'console owner');
  const cashier = await consoleOf(stage, 'console cashier');
  let order;

  await step('console: today in pictures, with the numbers behind them', async () => {
    await goHome(wallet, say);
    await pay(stage, '3000', '¥30.00');
    await comeIn(stage, owner, invite(stage, demo_shop, `Owner ${language}`));
    await owner.getByRole('heading', { name: say('Today', '今日'), level: 1 }).waitFor();
    await owner.getByRole('img', { name: say('Paid by hour, in yuan', '各小时收款（元）') }).waitFor();
    await screen(owner, 'shop-20-today');
    await owner.getByText(say('The numbers as a table', '以表格查看数字')).first().click();
    await owner.getByRole('table').first().waitFor();
    await screen(owner, 'shop-21-today-table');
    await owner.getByRole('button', { name: say('Yesterday', '昨日') }).click();
    await owner.getByText(say('Nothing was paid on this day.', '这一天没有收款。')).first().waitFor();
  }, owner);

  await step('console: limits for refunds, and a cashier is invited', async () => {
    await go(owner, say('Head office', '总部'));
    await owner.getByLabel(say('Name as registered', '登记名称')).fill('Lotus Pharmacy Ltd');
    await owner.getByLabel(say('Unified social credit code', '统一社会信用代码'), { exact: true }).fill('91110000802100433B');
    await owner.getByLabel(say('Of one payment, in yuan', '单笔付款累计（元）')).fill('10');
    await owner.getByRole('button', { name: say('Save', '保存'), exact: true }).click();
    await owner.getByText(say('Saved. Tills stay bound to what they were.', '已保存。已激活的收银台绑定信息不变。')).waitFor();
    await go(owner, say('Staff', '员工'));
    await owner.getByLabel(say('Name', '姓名'), { exact: true }).fill(say('Wang', '小王'));
    await owner.getByRole('button', { name: say('Make an invitation', '生成邀请') }).click();
    const code = await owner.locator('.code').innerText();
    await screen(owner, 'shop-22-invitation');
    await comeIn(stage, cashier, code);
    await cashier.getByRole('heading', { name: say('Orders', '订单'), level: 1 }).waitFor();
    assert.equal(await cashier.getByRole('link', { name: say('Staff', '员工') }).count(), 0);
    await screen(cashier, 'shop-23-cashier');
  }, owner);

  await step('console: orders by state, as a file too', async () => {
    await go(owner, say('Orders', '订单'));
    await owner.getByRole('radio', { name: say('Refused', '已拒绝'), exact: true }).check();
    await owner.getByRole('radio', { name: say('Paid', '已付'), exact: true }).check();
    await owner.getByRole('link', { name: /¥30\.00/ }).first().waitFor();
    await screen(owner, 'shop-24-orders');
    const file = owner.waitForEvent('download');
    await owner.getByRole('button', { name: say('Save as a file (CSV)', '导出文件（CSV）') }).click();
    const lines = readFileSync(await (await file).path(), 'utf8').split('\r\n');
    assert.match(lines[0], /^id,created_at,status,amount/);
    assert.ok(lines.slice(1, -1).every((line) => line.includes(',paid,')) && lines.some((line) => line.includes(',30,')));
  }, owner);

  await step('J7: above the limit a manager approves, and nobody approves their own', async () => {
    const begun = Date.now();
    await cashier.getByRole('link', { name: /¥30\.00/ }).first().click();
    await cashier.getByRole('heading', { name: say('Order', '订单详情'), exact: true }).waitFor();
    order = cashier.url().split('/').at(-1);
    const amount = cashier.getByLabel(say('Amount', '金额'));
    await amount.fill('31');
    await cashier.getByText(say('At most ¥30.00 is left.', '最多可退 ¥30.00。')).waitFor();
    await amount.fill('20');
    await cashier.getByRole('button', { name: say('Refund', '退款'), exact: true }).click();
    await cashier.getByText(say('This refund is above what may be refunded without a manager.', '退款超过无需店长审批的限额。')).waitFor();
    await screen(cashier, 'shop-25-needs-approval');
    await cashier.getByLabel(say('Why (for whoever approves it)', '原因（供审批人查看）')).fill(say('Broken cup', '杯子破损'));
    await cashier.getByRole('button', { name: say('Ask for approval', '提交审批') }).click();
    await cashier.getByText(say('Asked. Somebody who may approve it decides.', '已提交，等待有权限的人审批。')).waitFor();
    await go(cashier, say('Approvals', '审批'));
    await cashier.getByText(say('Your role does not approve refunds.', '您的角色不能审批退款。')).first().waitFor();
    await screen(cashier, 'shop-26-waits');
    await go(owner, say('Approvals', '审批'));
    await owner.getByText(say('Broken cup', '杯子破损')).first().waitFor();
    await owner.getByRole('button', { name: say('Approve and refund', '批准并退款') }).first().click();
    await owner.getByText(say('¥20.00 · approved', '¥20.00 · 已批准')).first().waitFor();
    await screen(owner, 'shop-27-approved');
    console.log(`      J7 refund with approval by a second person, three screenshots: ${((Date.now() - begun) / 1000).toFixed(1)} s (counter alone: at most 20 s)`);
    await owner.getByRole('link', { name: say('See the order', '查看订单') }).first().click();
    await owner.getByText(say('¥20.00 refunded', '已退 ¥20.00')).waitFor();
    await screen(owner, 'shop-28-order');
  }, cashier);

  await step('console: a dispute has its clock, and the shop says what it knows, once', async () => {
    const dispute = await wallet.evaluate(async (payment) => {
      const headers = { 'content-type': 'application/json', 'x-handsel-wallet': '1', 'idempotency-key': crypto.randomUUID() };
      const opened = await fetch('/v1/disputes', { method: 'POST', headers, body: JSON.stringify({ payment, cause: 'not_there', freeze: false }) });
      return (await opened.json()).id;
    }, order);
    await go(owner, say('Disputes', '争议'));
    await owner.getByText(say(/it is decided by/, /最迟于/)).first().waitFor();
    const send = owner.getByRole('button', { name: say('Send to the institution', '提交给机构') });
    assert.equal(await send.getAttribute('aria-disabled'), 'true');
    await owner.getByLabel(say('What the shop knows of this payment', '商户对这笔付款的说明')).fill(say('A cup of tea at noon.', '中午售出一杯茶。'));
    await screen(owner, 'shop-29-dispute');
    await send.click();
    await owner.getByText(say('You said:', '您的说明：')).first().waitFor();
    await screen(owner, 'shop-30-dispute-answered');
    // What is open would be credited later, from the fund that other journeys count.
    await wallet.evaluate(async (id) => {
      const headers = { 'x-handsel-wallet': '1', 'idempotency-key': crypto.randomUUID() };
      await fetch(`/v1/disputes/${id}/withdraw`, { method: 'POST', headers });
    }, dispute);
  }, owner);

  await step('console: a key is shown once; a webhook is delivered and sent again', async () => {
    const heard = [];
    const hook = createServer((request, response) => {
      heard.push(request.headers['webhook-id']);
      response.writeHead(200).end();
    });
    await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));
    try {
      await go(owner, say('Keys and webhooks', '密钥与通知'));
      const url = owner.getByLabel(say('Address of a new webhook', '新通知地址'));
      const add = owner.getByRole('button', { name: say('Add', '添加'), exact: true });
      await url.fill('http://10.0.0.1/hook');
      await add.click();
      await owner.getByText(say('Nothing can be sent to this address.', '无法向该地址发送。')).waitFor();
      await screen(owner, 'shop-31-hook-refused');
      await owner.getByRole('radio', { name: say('Test', '测试') }).check();
      await owner.getByLabel(say('Name of a new key', '新密钥的名称')).fill(`desk ${language}`);
      await owner.getByRole('button', { name: say('Make a key', '创建密钥') }).click();
      assert.match(await owner.locator('.secret').innerText(), /^sk_test_[0-9a-f]{64}$/);
      await screen(owner, 'shop-32-key');
      await owner.getByRole('button', { name: say(`End the key desk ${language}`, `停用密钥desk ${language}`) }).click();
      await owner.getByText(`desk ${language}`).waitFor({ state: 'detached' });
      await url.fill(`http://127.0.0.1:${hook.address().port}/hook`);
      await add.click();
      await owner.getByRole('button', { name: say('Send a test event', '发送测试事件') }).first().click();
      await until(() => heard.length === 1);
      await owner.getByRole('button', { name: say('Deliveries', '发送记录') }).first().click();
      await owner.getByText(say('delivered', '已送达')).first().waitFor();
      await screen(owner, 'shop-33-deliveries');
      await owner.getByRole('button', { name: say('Send again', '重新发送') }).first().click();
      await until(() => heard.length === 2);
      assert.equal(heard[0], heard[1]);
      await owner.getByRole('button', { name: say('Delete', '删除'), exact: true }).first().click();
      await owner.getByText(say('Nothing is told to any address.', '尚未向任何地址发送通知。')).waitFor();
    } finally {
      hook.close();
      hook.closeAllConnections();
    }
  }, owner);

  await step('console: somebody who left is out at once', async () => {
    await go(owner, say('Staff', '员工'));
    await owner.getByRole('button', { name: say('End Wang’s access', '停用小王的权限') }).click();
    await owner.getByRole('heading', { name: say('Wang', '小王') }).waitFor({ state: 'detached' });
    await screen(owner, 'shop-34-staff');
    await cashier.reload();
    await cashier.getByRole('heading', { name: say('Come in', '登录') }).waitFor();
    await cashier.getByRole('button', { name: say('Sign in with my passkey', '使用通行密钥登录') }).click();
    await cashier.getByText(say(/^This passkey is not, or no longer/, /^此通行密钥/)).waitFor();
    await screen(cashier, 'shop-35-passkey-refused');
  }, owner);

  await step('console: signing out and in again by the keyboard alone', async () => {
    await tabTo(owner, say('Sign out', '退出登录'));
    await owner.keyboard.press('Enter');
    await owner.getByRole('heading', { name: say('Come in', '登录') }).waitFor();
    await tabTo(owner, say('Sign in with my passkey', '使用通行密钥登录'));
    await owner.keyboard.press('Enter');
    await owner.getByRole('heading', { name: say('Today', '今日'), level: 1 }).waitFor();
  }, owner);

  await step('console: every screen fits at 200 % text and on a phone', async () => {
    const root = owner.url().split('#')[0];
    const views = ['today', 'orders', 'approvals', 'disputes', 'tills', 'money', 'staff', 'connections', 'office', `order/${order}`];
    for (const [name, width, size] of [['large', 1024, '200%'], ['phone', 390, '']]) {
      await owner.setViewportSize({ width, height: 844 });
      await owner.evaluate((size) => void (document.documentElement.style.fontSize = size), size);
      for (const view of views) {
        await owner.goto(`${root}#/${view}`);
        await owner.getByRole('heading', { level: 1 }).waitFor();
        await owner.waitForLoadState('networkidle');
        await screen(owner, `shop-40-${name}-${view.split('/')[0]}`);
      }
    }
  }, owner);
  // The till of the other journeys refunds without limits again.
  await go(owner, say('Head office', '总部'));
  await owner.getByLabel(say('Of one payment, in yuan', '单笔付款累计（元）')).fill('');
  await owner.getByRole('button', { name: say('Save', '保存'), exact: true }).click();
  await owner.getByText(say('Saved. Tills stay bound to what they were.', '已保存。已激活的收银台绑定信息不变。')).waitFor();
  await owner.context().close();
  await cashier.context().close();
}

/** A console on a device of its own, which has fingerprint and keys. */
const consoleOf = ({ open, shopUrl }, what) => open(what, window_px, shopUrl.split('#')[0], []);

async function comeIn({ say }, page, code) {
  await page.goto(`${page.url().split('#')[0]}#/join/${code}`);
  await page.getByLabel(say('Invitation code', '邀请码')).fill(code);
  await page.getByRole('button', { name: say('Come in and make my passkey', '加入并创建通行密钥') }).click();
  await page.getByRole('button', { name: say('Sign out', '退出登录') }).waitFor();
}

async function go(page, name) {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.waitForLoadState('networkidle');
}

const invite = ({ admin }, merchant, name) => JSON.parse(admin('merchant invite', merchant, '--name', name)).code;

/** What whoever stands at the new till types. */
function activate({ binary, folder, language }, code, position) {
  const dir = join(folder, `new-till-${language}`);
  const options = ['--code', code, '--serial', `SN-${language}-0001`, `--position=${position}`, '--like', join(folder, 'till/node.toml'), '--dir', dir, '--json'];
  return promisify(execFile)(binary, ['activate', ...options]);
}

function tell(what, begun, minutes) {
  const seconds = (Date.now() - begun) / 1000;
  console.log(`      ${what}: ${seconds.toFixed(1)} s of at most ${minutes * 60} s`);
  assert.ok(seconds < minutes * 60);
}

async function until(condition) {
  for (const end = Date.now() + 15_000; Date.now() < end; ) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen in 15 s');
}
