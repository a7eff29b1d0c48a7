// What owners do about their money: undoing, J8 "not me" with three ends of a dispute.

import assert from 'node:assert/strict';
import { backToAmount, confirmIfAsked, expectPaid, expectRefused, next, payByLook } from './till.mjs';
import { balance, follow, goHome, tabTo } from './wallet.mjs';

/** A payment is undone while its ring runs, on the overview; afterwards it is said what there is instead. */
export async function undoJourney(stage) {
  const { wallet, till, say, step, screen } = stage;

  await step('undo: the ring runs, one press brings the money back', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    await pay(stage, '500', '¥5.00');
    await wallet.getByRole('timer').waitFor();
    await screen(wallet, 'wallet-60-undo-ring');
    await wallet.getByRole('button', { name: say('Undo: ¥5.00 back from Lotus Pharmacy 荷花药房', '撤销：从Lotus Pharmacy 荷花药房退回 ¥5.00') }).click();
    await wallet.getByText(say('Undone. The money is back in your wallet.', '已撤销，款项已退回钱包。')).waitFor();
    await screen(wallet, 'wallet-61-undone');
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
    await wallet.getByRole('link', { name: '-¥5.00' }).click();
    await wallet.getByText(say('Came back', '已退回')).waitFor();
    await screen(wallet, 'wallet-62-receipt-undone');
  }, wallet);

  await step('another payment is left alone for a minute', async () => {
    await pay(stage, '444', '¥4.44');
    stage.leftAlone = Date.now();
  }, till);
}

/** A minute after a payment: over is over. */
export async function undoOverJourney(stage) {
  const { wallet, say, step, screen, leftAlone } = stage;

  await step('undo: over is over, and it is said what there is instead', async () => {
    await wallet.waitForTimeout(Math.max(0, leftAlone + 61_000 - Date.now()));
    await goHome(wallet, say);
    await follow(wallet, say('Payments and receipts', '付款与凭证'));
    const old = wallet.getByRole('link').filter({ hasText: '-¥4.44' });
    // A page that thinks the minute is not over, here for a clock that is wrong, is corrected by the platform.
    await wallet.route('**/v1/**', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), date: new Date(Date.now() - 300_000).toUTCString() } });
    });
    try {
      await old.click();
      await wallet.getByRole('button', { name: say(/^Undo: ¥4\.44/, /^撤销：/) }).click();
      await wallet.getByText(say('This payment can no longer be undone.', '该笔付款已不能撤销。')).waitFor();
      await screen(wallet, 'wallet-63-undo-refused');
    } finally {
      await wallet.unroute('**/v1/**');
    }
    await wallet.reload();
    await wallet.getByText(say(/^The time to undo it is over\./, /^撤销时间已过。/)).waitFor();
    assert.equal(await wallet.getByRole('timer').count(), 0);
    await screen(wallet, 'wallet-64-receipt');
  }, wallet);

  await step('the terms on a receipt can be read, and their hash is worked out here', async () => {
    await follow(wallet, say('The terms that hold today', '现行条款'));
    await wallet.getByText(say('Worked out on this device from the text: it fits.', '本机已根据文本计算核对：一致。')).waitFor();
    await screen(wallet, 'wallet-65-terms');
  }, wallet);
}

/** J8: from the overview to the credit, the freeze, and three ends of a dispute. */
export async function notMeJourney(stage) {
  const { wallet, till, say, step, screen, passcode, admin } = stage;
  const frozen = say('Your account is frozen.', '您的账户已冻结。');
  const send = wallet.getByRole('button', { name: say('Send', '提交') });
  const begin = async () => {
    await follow(wallet, say('Not me', '不是我'));
    await wallet.getByRole('heading', { name: say('Not me', '不是我') }).waitFor();
    await wallet.getByRole('radio').first().waitFor();
  };
  // Both passes share the fund; what the first one leaves in it is less than the dispute that is to find it empty.
  let filled = Number(say('0', '4'));
  const fill = (amount_minor) =>
    admin('fund', '--id', `tra_0000000000000000000000000${++filled}`, '--amount-minor', String(amount_minor));
  const reference = () => wallet.url().split('/').at(-1);
  let credited;
  let before;

  await step('not me: small sums are credited at once, and the account is frozen', async () => {
    fill(600);
    await pay(stage, '600', '¥6.00');
    await goHome(wallet, say);
    before = await balance(wallet, say);
    const begun = Date.now();
    await begin();
    assert.equal(await send.getAttribute('aria-disabled'), 'true');
    await screen(wallet, 'wallet-70-not-me');
    await wallet.getByRole('radio', { name: say('I was not there', '我当时不在场') }).check();
    await send.click();
    await wallet.getByText(say('¥6.00 credited', '已赔付 ¥6.00')).waitFor();
    console.log(`      J8 not me, with a screenshot: ${((Date.now() - begun) / 1000).toFixed(1)} s of at most 60 s`);
    assert.ok(Date.now() - begun < 60_000);
    credited = reference();
    await screen(wallet, 'wallet-71-dispute-credited');
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before + 600);
    await wallet.getByText(frozen).waitFor();
    await screen(wallet, 'wallet-72-home-frozen');
  }, wallet);

  await step('a frozen account pays nothing', async () => {
    await payByLook(stage, '700');
    await expectRefused(stage, 'The account is frozen.', '账户已冻结。');
    // Another look would change nothing.
    assert.equal(await till.getByRole('button', { name: say('Look again', '再看一次') }).count(), 0);
    await screen(till, 'till-80-refused-frozen');
    await backToAmount(stage);
  }, till);

  await step('thaw: a wrong passcode says how many tries are left, the right one thaws', async () => {
    await follow(wallet, say('Thaw', '解冻'));
    const thaw = wallet.getByRole('button', { name: say('Thaw with my passcode', '用支付密码解冻') });
    await thaw.click();
    await wallet.getByText(say('Enter the six digits of your payment passcode.', '请输入您的六位支付密码。')).waitFor();
    await wallet.getByLabel(say('Payment passcode', '支付密码')).fill('918273');
    await thaw.click();
    await wallet.getByText(say('Try again. 4 tries are left.', /还可以尝试 4 次。/)).waitFor();
    await screen(wallet, 'wallet-73-thaw-wrong');
    await wallet.getByLabel(say('Payment passcode', '支付密码')).fill(passcode);
    await thaw.click();
    await wallet.getByText(say('Thawed. You can pay again.', '已解冻，可以继续付款。')).waitFor();
    await screen(wallet, 'wallet-74-safety');
  }, wallet);

  await step('not me: a fund without money owes the credit, and the decision says why', async () => {
    await pay(stage, '310', '¥3.10');
    await goHome(wallet, say);
    await begin();
    await wallet.getByRole('radio', { name: say('I paid for somebody else, or a wrong amount', '我替别人付了款，或金额不对') }).check();
    await wallet.getByRole('checkbox').uncheck();
    await send.click();
    await wallet.getByText(say('The credit is due, and comes as soon as the fund has the money.', '赔付已到期，基金有款后立即支付。')).waitFor();
    await wallet.getByText(say('If nobody decides by then, you are right.', '逾期未决定，即认定您有理。')).waitFor();
    await screen(wallet, 'wallet-75-dispute-open');
    admin('dispute', reference(), 'reject', '--reason', say('The till’s list shows the basket.', '收银清单显示了所购商品。'));
    await wallet.getByText(say('Decided: it was you', '已判定：是您本人')).first().waitFor({ timeout: 30_000 });
    await wallet.getByText(say(/The till’s list shows the basket\./, /收银清单显示了所购商品。/)).waitFor();
    await screen(wallet, 'wallet-76-dispute-rejected');
  }, wallet);

  await step('an appeal against the decision: once, and the clock begins anew', async () => {
    await wallet.getByRole('button', { name: say('Appeal', '申诉'), exact: true }).click();
    await wallet.getByText(say('You appealed', '您已申诉')).waitFor();
    await wallet.getByText(say('If nobody decides by then, you are right.', '逾期未决定，即认定您有理。')).waitFor();
    await screen(wallet, 'wallet-83-dispute-appealed');
    admin('dispute', reference(), 'reject', '--reason', say('The till’s list shows the basket.', '收银清单显示了所购商品。'));
    await wallet.getByText(say('Decided: it was you', '已判定：是您本人')).first().waitFor({ timeout: 30_000 });
    assert.equal(await wallet.getByRole('button', { name: say('Appeal', '申诉'), exact: true }).count(), 0);
  }, wallet);

  await step('not me by keyboard alone, then taken back', async () => {
    fill(300);
    await pay(stage, '300', '¥3.00');
    await goHome(wallet, say);
    const start = await balance(wallet, say);
    await tabTo(wallet, say('Not me', '不是我'));
    await wallet.keyboard.press('Enter');
    await wallet.getByRole('radio').first().waitFor();
    await tabTo(wallet, say('I was not there', '我当时不在场'));
    await wallet.keyboard.press('Space');
    await wallet.keyboard.press('ArrowDown');
    assert.ok(await wallet.getByRole('radio', { name: say('A twin, or somebody who looks like me', '双胞胎或与我相像的人') }).isChecked());
    await wallet.keyboard.press('Tab');
    await wallet.keyboard.press('Space');
    await wallet.keyboard.press('Tab');
    await wallet.keyboard.press('Enter');
    await wallet.getByText(say('¥3.00 credited', '已赔付 ¥3.00')).waitFor();
    await tabTo(wallet, say('Take the dispute back', '收回争议'));
    await wallet.keyboard.press('Enter');
    await screen(wallet, 'wallet-77-dispute-withdraw');
    await tabTo(wallet, say('Yes, take it back', '是的，收回'));
    await wallet.keyboard.press('Enter');
    await wallet.getByText(say('There is no credit for it.', '没有赔付款项。')).waitFor();
    await screen(wallet, 'wallet-78-dispute-withdrawn');
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), start);
  }, wallet);

  await step('a payment is disputed once; the receipt leads to its dispute', async () => {
    await wallet.getByRole('link', { name: '-¥3.00' }).click();
    await wallet.getByRole('link', { name: say('See the dispute', '查看争议') }).waitFor();
    assert.equal(await wallet.getByRole('link', { name: say('Not me', '不是我') }).count(), 0);
    const payment = reference();
    await screen(wallet, 'wallet-79-receipt-disputed');
    await wallet.goto(`${wallet.url().split('#')[0]}#/not-me/${payment}`);
    await wallet.getByText(say(/^This payment cannot be disputed/, /^这笔付款不能提出争议/)).waitFor();
    await screen(wallet, 'wallet-80-not-me-impossible');
  }, wallet);

  await step('the decision for the payer, and how everybody’s disputes went', async () => {
    admin('dispute', credited, 'uphold', '--reason', say('It was somebody else.', '付款人另有其人。'));
    await goHome(wallet, say);
    await follow(wallet, say('Disputes', '争议'));
    await wallet.getByText(say('These figures are public, and nobody can be recognised in them.', '这些数字对所有人公开，其中认不出任何人。')).waitFor();
    await screen(wallet, 'wallet-81-disputes');
    await wallet.getByRole('link').filter({ hasText: say('Decided: you are right', '已判定：您有理') }).first().click();
    await wallet.getByText(say('It stays with you.', '这笔钱归您。')).waitFor();
    await screen(wallet, 'wallet-82-dispute-upheld');
  }, wallet);
}

/** Pays at the till by person A, with the passcode where the rules ask for it. */
export async function pay(stage, digits, amount) {
  stage.camera.show('personALater');
  await payByLook(stage, digits);
  await confirmIfAsked(stage);
  await expectPaid(stage, amount);
  await next(stage);
}

export async function topUp({ wallet, say }, yuan) {
  await follow(wallet, say('Top up', '充值'));
  await wallet.getByLabel(say('Amount (¥)', '金额（元）')).fill(yuan);
  await wallet.getByRole('button', { name: say(`Top up ¥${yuan}.00`, `充值 ¥${yuan}.00`) }).click();
  await wallet.getByText(say(/arrived/, /已到账/)).waitFor();
}
