// The right-to-know list as files.

import type { BiometricQuery } from '../api/types';

const columns = ['id', 'at', 'kind', 'asked_by', 'store_name', 'amount_minor', 'searched', 'place', 'outcome'] as const;

/** RFC 4180, times in ISO 8601. A spreadsheet must not take a shop's name for a formula: such a cell gets an apostrophe. */
export function csvOf(rows: readonly BiometricQuery[]): string {
  const lines = rows.map((row) => columns.map((column) => cell(column === 'at' ? new Date(row.at).toISOString() : (row[column] ?? ''))).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

export function jsonOf(rows: readonly BiometricQuery[]): string {
  return JSON.stringify(rows, null, 2);
}

function cell(value: string | number): string {
  const text = String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
