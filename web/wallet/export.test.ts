import { expect, test } from 'vitest';
import { csvOf } from './export';

test('the list as CSV: quoted where it must be, and no formula', () => {
  const query = { id: 'qry_1', kind: 'identification', at: 0, outcome: 'paid' } as const;
  const text = csvOf([
    { ...query, asked_by: 'Lotus "12", Pharmacy', store_name: '=1+1', amount_minor: 3650, searched: 'city' },
    { ...query, asked_by: 'wallet' },
  ]);
  expect(text.split('\r\n')).toEqual([
    'id,at,kind,asked_by,store_name,amount_minor,searched,place,outcome',
    `qry_1,1970-01-01T00:00:00.000Z,identification,"Lotus ""12"", Pharmacy",'=1+1,3650,city,,paid`,
    'qry_1,1970-01-01T00:00:00.000Z,identification,wallet,,,,,paid',
    '',
  ]);
});
