// Words of coming in by passkey, for all desks whose people are invited.

import type { Dictionary } from '../ui/locale.svelte';

const en = {
  title: 'Come in',
  signIn: 'Sign in with my passkey',
  invited: 'I was invited',
  code: 'Invitation code',
  hint: 'Sixteen letters and digits, from whoever invited you. It counts once.',
  join: 'Come in and make my passkey',
  noCode: 'Enter the code first.',
  noPasskey: 'This browser has no passkeys: take another one, or another device.',
  refused: { title: 'The device made no passkey.', remedy: 'Try again, and confirm with the device’s fingerprint, face or code.' },
};

const zh: typeof en = {
  title: '登录',
  signIn: '使用通行密钥登录',
  invited: '我收到了邀请',
  code: '邀请码',
  hint: '由邀请人提供的十六位字母和数字，只能使用一次。',
  join: '加入并创建通行密钥',
  noCode: '请先输入邀请码。',
  noPasskey: '此浏览器不支持通行密钥，请更换浏览器或设备。',
  refused: { title: '设备没有创建或提供通行密钥。', remedy: '请重试，并用设备的指纹、面容或锁屏密码确认。' },
};

export const comeInWords: Dictionary<typeof en> = { en, zh };
