// Words of the wallet about customer service.

import type { FreezeReason, ServiceAct } from '../api/types';
import type { Dictionary } from '../ui/locale.svelte';

const en = {
  title: 'Customer service',
  lead: 'Who at customer service looked at your account. They find it only by a reference that you tell them, see the first character of your name and the last digits of your number, and can freeze the account. If you told nobody, somebody else has your reference: freeze the account and tell the institution.',
  none: 'Nobody at customer service has looked at your account.',
  failed: 'The list could not be loaded.',
  acts: { look_up: 'A case of yours was looked at', freeze: 'Your account was frozen' } satisfies Record<ServiceAct, string> as Record<ServiceAct, string>,
  reasons: {
    caller_asked: 'Because a caller asked for it.',
    phone_lost: 'Because a caller said that the phone is lost.',
    not_their_payment: 'Because a caller said that they did not make this payment.',
    misuse_suspected: 'Because somebody else seemed to use the account.',
  } satisfies Record<FreezeReason, string> as Record<FreezeReason, string>,
  reference: 'By the reference',
  clerk: 'By',
};

const zh: typeof en = {
  title: '客户服务',
  lead: '客户服务的哪些人员查看过您的账户。他们只能凭您告知的编号查找，只看到您姓名的首字和号码末四位，只能冻结账户。如果您没有告诉任何人，说明有人知道您的编号：请冻结账户并告知机构。',
  none: '客户服务没有人查看过您的账户。',
  failed: '无法加载列表。',
  acts: { look_up: '查看了您的一条记录', freeze: '冻结了您的账户' },
  reasons: {
    caller_asked: '原因：来电人要求。',
    phone_lost: '原因：来电人称手机丢失。',
    not_their_payment: '原因：来电人称没有进行这笔付款。',
    misuse_suspected: '原因：疑似他人使用此账户。',
  },
  reference: '所用编号',
  clerk: '人员',
};

export const serviceLogWords: Dictionary<typeof en> = { en, zh };
