// Words of the staff's page at the till: how the lane is, and what shoppers ask.

import type { Dictionary } from '../ui/locale.svelte';

export interface Question {
  question: string;
  answer: string;
}

const en = {
  title: 'Help for staff',
  back: 'Back to amount',
  lane: 'This lane',
  agent: { up: 'The program that looks answers.', down: 'The program that looks does not answer. Start it on this machine.' },
  platform: { up: 'The platform answers.', down: 'The platform does not answer. Take cash, a card or a code.' },
  speed: (seconds: string) => `A look takes ${seconds} s here: the middle one of the latest seven of the last half hour.`,
  noSpeed: 'Fewer than three looks in the last half hour: too few to say how fast this lane is.',
  slow: 'That is slow. The till says so and puts the other ways first.',
  questions: 'What shoppers ask',
  list: [
    {
      question: 'Does the shop keep my face?',
      answer: 'No. The camera opens when you press the button and closes after a second or two. The picture becomes numbers on this machine, is split into three sealed parts and deleted. Nothing of it stays here.',
    },
    { question: 'Does the shop learn who I am?', answer: 'No. It learns that it was paid, how much and when. It has no name, no number and no face.' },
    {
      question: 'What if it takes somebody else?',
      answer: 'Payee and amount are shown before the look. If it was not you: undo it within a minute, or press “Not me” in your wallet. Small sums are credited at once, before anybody has decided.',
    },
    { question: 'Do I have to?', answer: 'No. Cash, cards and codes are taken as before.' },
    {
      question: 'I cannot see, or cannot stand.',
      answer: 'The voice reads payee, amount and result aloud: switch it on at the top. No blinking or nodding is asked, and a seated face is found too. Whoever cannot look pays another way; staff never hold a phone or type a passcode for a shopper.',
    },
    { question: 'How do I get rid of it?', answer: 'In the wallet: “Delete face”. Three institutions confirm with signatures that their parts are destroyed.' },
  ] as Question[],
  rules: 'For you',
  dos: [
    'While the screen says “Being checked”, take no other payment for these goods. The answer comes by itself.',
    'Never look while the passcode is entered, and never ask for it.',
    'When somebody is not recognised, nobody is to blame: offer another way, and do not ask who they are.',
    'A wrong amount: refund it here, under “Recent payments”. The money is back at once.',
  ],
};

const zh: typeof en = {
  title: '店员帮助',
  back: '返回金额',
  lane: '本通道',
  agent: { up: '采集程序正常。', down: '采集程序没有响应，请在本机启动。' },
  platform: { up: '平台连接正常。', down: '无法连接平台，请收现金、银行卡或扫码。' },
  speed: (seconds) => `在这里刷脸需要 ${seconds} 秒（最近半小时内最近七次的中位数）。`,
  noSpeed: '最近半小时刷脸不足三次，还说不出快慢。',
  slow: '现在较慢：收银台会说明，并先提供其他付款方式。',
  questions: '顾客常问',
  list: [
    {
      question: '店里会保存我的脸吗？',
      answer: '不会。按下按钮后摄像头才打开，一两秒后关闭。图像在本机变成一组数字，拆成三份分别密封后删除，店里什么也不留。',
    },
    { question: '店里会知道我是谁吗？', answer: '不会。商家只知道收到了钱、多少、何时，没有姓名、号码和人脸。' },
    {
      question: '认错人扣了我的钱怎么办？',
      answer: '刷脸之前会显示收款方和金额。如果不是您：一分钟内可以撤销，或在钱包按“不是我”。小额立即先行赔付，不等判定。',
    },
    { question: '必须刷脸吗？', answer: '不必。现金、银行卡和扫码照常可用。' },
    {
      question: '我看不见，或站不起来。',
      answer: '在屏幕上方打开语音，会朗读收款方、金额和结果。不需要眨眼或点头，坐着也能识别。不能刷脸的顾客用其他方式付款；店员不代拿手机，不代输密码。',
    },
    { question: '怎样删除？', answer: '在钱包中选“删除人脸”，三个机构会签名确认已销毁各自的一份。' },
  ],
  rules: '店员须知',
  dos: [
    '屏幕显示“正在核对”时，不要为同一商品再次收款，结果会自动显示。',
    '顾客输入密码时请回避，绝不询问密码。',
    '没有识别出来不是谁的错：请提供其他付款方式，不要追问对方是谁。',
    '金额有误：在“最近的付款”中退款，款项立即退回。',
  ],
};

export const staffWords: Dictionary<typeof en> = { en, zh };
