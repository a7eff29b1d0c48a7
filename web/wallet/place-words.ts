// Words of the wallet about where the shopper is recognised without the phone's digits.

import type { Dictionary } from '../ui/locale.svelte';

const en = {
  title: 'Where I am recognised',
  lead: 'Where many people pay, a till asks for the last four digits of your phone number first. It need not ask you in a city or at shops that you name here.',
  points: [
    'It is your choice, and you can take it back at any time.',
    'The three parties see that a sealed part belongs to a group without a name, and at which till that group is searched. They do not learn whose part it is.',
    'The institution keeps your choices to do this and tells no shop. They end with your face or your account.',
  ],
  city: 'The city where I usually pay',
  cityHint: 'Where more people than may be searched name the same city, the digits are asked all the same.',
  noCity: 'None',
  noCities: 'No shop has named its city yet.',
  cityNow: (city: string) => `You are recognised in ${city} as soon as all three parties know.`,
  noCityNow: 'You are recognised by a city no more.',
  shops: 'Shops where I have paid',
  noShops: 'Once you have paid at a shop with your face, it is listed here.',
  noFace: { title: 'No face is enrolled.', remedy: 'A shop can recognise you without digits once one is.' },
  digitsHere: 'Digits may be asked',
  since: (time: string) => `Without digits since ${time}`,
  start: 'Recognise me here',
  startAt: (shop: string) => `Recognise me here: ${shop}`,
  started: (shop: string) => `Done: ${shop}. It holds as soon as all three parties know, usually within seconds.`,
  stop: 'Stop recognising me',
  stopAt: (shop: string) => `Stop recognising me: ${shop}`,
  stopped: (shop: string) => `Taken back: ${shop}. Digits may be asked there again.`,
};

const zh: typeof en = {
  title: '在哪里认出我',
  lead: '在付款的人很多的地方，收银台会先询问手机号后四位。在您于此指定的城市或商店，可以不必询问。',
  points: [
    '由您选择，随时可以收回。',
    '三个参与方能看到某一份密封数据属于一个没有名称的组，以及哪个收银台查找该组，但不知道它是谁的。',
    '机构仅为此保存您的选择，不告诉任何商家。删除人脸或注销账户时，选择随之结束。',
  ],
  city: '我通常付款的城市',
  cityHint: '如果指定同一座城市的人超过可查找的人数，仍会询问后四位。',
  noCity: '不指定',
  noCities: '还没有商店登记所在城市。',
  cityNow: (city) => `三方都收到后，即可在${city}认出您。`,
  noCityNow: '不再按城市认出您。',
  shops: '我付过款的商店',
  noShops: '您在某家商店刷脸付款后，这里会列出它。',
  noFace: { title: '尚未登记人脸。', remedy: '登记后，商店才能不问后四位就认出您。' },
  digitsHere: '可能询问后四位',
  since: (time) => `自 ${time} 起不问后四位`,
  start: '在此认出我',
  startAt: (shop) => `在此认出我：${shop}`,
  started: (shop) => `已设置：${shop}。三方都收到后生效，通常只需几秒。`,
  stop: '不再认出我',
  stopAt: (shop) => `不再认出我：${shop}`,
  stopped: (shop) => `已收回：${shop}。那里可能再次询问后四位。`,
};

export const placeWords: Dictionary<typeof en> = { en, zh };
