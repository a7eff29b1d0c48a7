// What goes wrong beyond the shopper's view: pictures that no camera of ours sends, answers that the platform gives to a
// bad look, and a party that dies or hangs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { backToAmount, expectPaid, expectRefused, next, offer, payByLook, pressPay, typeAmount } from './till.mjs';
import { burst } from './scenes.mjs';
import { balance, goHome } from './wallet.mjs';

/** Pictures straight to the till's agent, with its product settings: refused before any probe leaves the machine. */
export async function pictureJourney(stage) {
  const { wallet, say, step, pictures, tillUrl } = stage;
  const agent = async (path, options = {}) => {
    const response = await fetch(new URL(path, tillUrl), options);
    return { status: response.status, liveness: response.headers.get('x-handsel-liveness'), body: await response.json() };
  };
  const post = (path, json, key = randomUUID()) =>
    agent(path, { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': key }, body: JSON.stringify(json) });
  const look = (payment, files) => {
    const form = new FormData();
    files.forEach((file, at) => form.append('frame', new Blob([file], { type: 'image/jpeg' }), `frame-${at + 1}.jpg`));
    return agent(`/till/payments/${payment}/look`, { method: 'POST', body: form });
  };
  const good = burst('personALater', pictures, 3);
  const rows = [
    ['a screen that is held out', burst('heldOut', pictures, 3), 422, 'not_live'],
    ['two people', burst('twoPeople', pictures, 3), 422, 'several_faces'],
    ['nobody', burst('nobody', pictures, 3), 422, 'no_face'],
    ['two frames', good.slice(0, 2), 400, 'too_few_frames'],
    ['frames that break off', good.map((file) => file.subarray(0, file.length / 2)), 400, 'picture_unreadable'],
    ['frames that are no pictures', good.map(() => Buffer.from('no picture')), 400, 'picture_unreadable'],
    ['a frame of more than 12 MiB', [...good.slice(1), Buffer.alloc((12 << 20) + 1)], 413, 'picture_too_large'],
  ];
  const begin = async () => {
    const { body } = await post('/till/payments', { amount_minor: 150, currency: 'CNY' });
    assert.equal((await post(`/till/payments/${body.id}/challenge`, {})).body.status, 'challenged');
    return body.id;
  };

  await step('bad pictures are refused by name and leave the payment as it was', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    const payment = await begin();
    for (const [what, files, status, code] of rows) {
      const answer = await look(payment, files);
      assert.deepEqual([answer.status, answer.body.code], [status, code], what);
      assert.equal((await agent(`/till/payments/${payment}`)).body.status, 'challenged', what);
    }
    // The same payment still takes a good look; how live it looked is not told at a till.
    const paid = await look(payment, good);
    assert.deepEqual([paid.body.status, paid.liveness], ['paid', null]);
    assert.equal((await look(payment, good)).body.code, 'state_conflict');
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - 150);
  }, wallet);

  await step('the same request twice is one payment', () => sameTwice(post), wallet);
}

/** A request that arrives twice, as from a line that swallows answers. */
async function sameTwice(post) {
  const key = randomUUID();
  const sum = { amount_minor: 155, currency: 'CNY' };
  const first = await post('/till/payments', sum, key);
  assert.deepEqual(await post('/till/payments', sum, key), first);
  assert.equal((await post('/till/payments', { ...sum, amount_minor: 156 }, key)).body.code, 'idempotency_key_reused');
  assert.equal((await post(`/till/payments/${first.body.id}/cancel`)).body.status, 'cancelled');
}

/** What the till shows for answers that its own page cannot cause: the answer is put in, the screen is real. */
export async function answerJourney(stage) {
  const { wallet, till, say, step, screen, camera } = stage;
  // Code, status, sentence in both languages. Of an ambiguous look the payment itself tells.
  const rows = [
    ['probe_replayed', 409, 'This look was used before.', '本次刷脸已被使用过。'],
    ['probe_mismatch', 409, 'This look was made for another payment.', '本次刷脸属于另一笔付款。'],
    ['challenge_expired', 409, 'The look took too long.', '本次刷脸超时。'],
    ['picture_unreadable', 400, 'The picture cannot be read.', '无法读取图像。'],
    ['storage_full', 503, 'The service cannot record anything at the moment.', '服务暂时无法记录任何内容。'],
    ['identification_interrupted', 200, 'The check was interrupted.', '核对过程被中断。'],
    ['ambiguous', 200, 'The look is not clear enough.', '刷脸结果不够明确。'],
  ];
  const answerWith = (code, status) => async (route) => {
    if (status >= 400) {
      const json = { type: `/docs/errors#${code}`, title: '', status, code, remedy: '' };
      return route.fulfill({ status, contentType: 'application/problem+json', json });
    }
    const response = await route.fetch({ url: route.request().url().replace(/\/look$/, ''), method: 'GET' });
    return route.fulfill({ json: { ...(await response.json()), status: 'refused', refusal: code } });
  };
  const button = (en, zh) => till.getByRole('button', { name: say(en, zh) });

  await step('every other refusal has its sentence, says that nothing was charged, and the ways on', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    camera.show('personALater');
    await typeAmount(stage, '160');
    await offer(stage);
    for (const [at, [code, status, en, zh]] of rows.entries()) {
      await till.route('**/till/payments/*/look', answerWith(code, status));
      await pressPay(stage);
      await expectRefused(stage, en, zh);
      await screen(till, `till-8${at}-refused-${code.replaceAll('_', '-')}`);
      await till.unrouteAll({ behavior: 'wait' });
      await button('Another way / done', '换一种方式／结束').waitFor();
      assert.equal(await button('Look again', '再看一次').isVisible(), code !== 'ambiguous', code);
      assert.equal(await button('Give last four digits', '输入手机号后四位').isVisible(), code === 'ambiguous', code);
      if (code !== 'ambiguous') await button('Look again', '再看一次').click();
    }
    await button('Give last four digits', '输入手机号后四位').click();
    await till.getByRole('heading', { name: say('Last four digits of your phone number', '手机号后四位') }).waitFor();
    await button('Cancel', '取消').click();
    await till.getByRole('heading', { name: say('Cancelled', '已取消') }).waitFor();
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
  }, till);
}

/** A party that dies while somebody pays, and one that hangs. */
export async function partyJourney(stage) {
  const { wallet, till, say, step, screen, camera, processOf } = stage;
  const running = (part) => {
    const pid = processOf(part);
    assert.ok(pid, `${part} is not running`);
    return pid;
  };

  await step('a party is killed while somebody pays: the outcome is definite, and the next payment pays', async () => {
    await goHome(wallet, say);
    const before = await balance(wallet, say);
    const killed = running('party2');
    camera.show('personALater');
    await till.route('**/till/payments/*/look', (route) => (process.kill(killed, 'SIGKILL'), route.continue()), { times: 1 });
    await payByLook(stage, '170');
    const paid = till.getByRole('heading', { name: say('Paid', '已付款'), exact: true });
    await paid.or(till.getByRole('alert')).waitFor({ timeout: 40_000 });
    let charged = 0;
    if (await paid.isVisible()) {
      charged = 170;
      await next(stage);
    } else {
      await till.getByRole('alert').getByText(say('Nothing was charged.', '没有扣款。')).waitFor();
      await backToAmount(stage);
    }
    console.log(`      ${stage.language}: the payment in which the party died was ${charged > 0 ? 'paid' : 'refused'}`);
    assert.notEqual(running('party2'), killed, 'the party was not started again');
    await payByLook(stage, '180');
    await expectPaid(stage, '¥1.80');
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - charged - 180);
  }, till);

  await step('a party hangs: being checked, then refused, nothing charged; afterwards the till pays again', async () => {
    const before = await balance(wallet, say);
    const stopped = running('party3');
    process.kill(stopped, 'SIGSTOP');
    try {
      await payByLook(stage, '190');
      // What the platform says, not only what the page assumes while it waits.
      await till.waitForResponse(async (response) => /\/till\/payments\/pay_\w+$/.test(response.url()) && (await response.json()).status === 'being_checked');
      await till.getByRole('heading', { name: say('Being checked', '正在核对') }).waitFor();
      await till.getByText(say('Do not pay again.', '请勿重复付款。')).waitFor();
      await screen(till, 'till-32-being-checked-party-hangs');
      await expectRefused(stage, 'Paying by face does not work at the moment.', '刷脸付款暂时不可用。');
      await screen(till, 'till-33-refused-party-hangs');
    } finally {
      process.kill(stopped, 'SIGCONT');
    }
    await backToAmount(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before);
    await payByLook(stage, '210');
    await expectPaid(stage, '¥2.10');
    await next(stage);
    await goHome(wallet, say);
    assert.equal(await balance(wallet, say), before - 210);
  }, till);
}
