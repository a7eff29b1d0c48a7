// Words of the page that shows the components to whoever builds with them.

import type { Dictionary } from '../ui/locale.svelte';

const en = {
  title: 'Components',
  lead: 'Every component and token of the pages, in the language and the colours that you choose. Nothing here asks a server.',
  colours: 'Colours',
  spaces: 'Spaces',
  texts: 'Sizes of text',
  sample: 'Pay ¥36.50',
  reason: 'Enter an amount first.',
  pressed: 'Chosen',
  notPressed: 'Not chosen',
  link: 'To another screen',
  field: 'Amount (¥)',
  hint: 'From ¥0.01 to ¥5,000.',
  wrong: 'Enter an amount from ¥0.01 to ¥5,000.',
  options: ['¥50', '¥200', 'Something else, in a sentence that may be longer than its line'],
  seconds: (count: number) => `${count} seconds are left.`,
  again: 'Start again',
  code: 'Payment passcode',
  incomplete: 'Enter six digits.',
  rows: ['First row', 'Second row'],
  none: 'There is nothing yet.',
  bars: { title: 'Payments by hour', heads: ['Hour', 'Payments'] as [string, string], open: 'The numbers as a table' },
  openCamera: 'Open the camera',
  attempt: 'Try something that is refused',
};

const zh: typeof en = {
  title: '组件',
  lead: '页面的全部组件与设计变量，使用您选择的语言和颜色。本页不访问服务器。',
  colours: '颜色',
  spaces: '间距',
  texts: '字号',
  sample: '付款 ¥36.50',
  reason: '请先输入金额。',
  pressed: '已选择',
  notPressed: '未选择',
  link: '前往另一页',
  field: '金额（元）',
  hint: '¥0.01 到 ¥5,000。',
  wrong: '请输入 ¥0.01 到 ¥5,000 之间的金额。',
  options: ['¥50', '¥200', '其他情况，用一句可能超过一行的话来说明'],
  seconds: (count) => `还剩 ${count} 秒。`,
  again: '重新开始',
  code: '支付密码',
  incomplete: '请输入六位数字。',
  rows: ['第一行', '第二行'],
  none: '暂无记录。',
  bars: { title: '各小时付款笔数', heads: ['小时', '笔数'], open: '以表格查看数字' },
  openCamera: '打开摄像头',
  attempt: '试一次会被拒绝的操作',
};

export const componentsWords: Dictionary<typeof en> = { en, zh };
