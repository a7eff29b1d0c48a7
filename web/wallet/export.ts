// The right-to-know list as files.

import type { BiometricQuery } from '../api/types';
import { csvLine } from '../ui/csv';

const columns = ['id', 'at', 'kind', 'asked_by', 'store_name', 'amount_minor', 'searched', 'place', 'outcome'] as const;

/** Times in ISO 8601. */
export function csvOf(rows: readonly BiometricQuery[]): string {
  const lines = rows.map((row) => csvLine(columns.map((column) => (column === 'at' ? new Date(row.at).toISOString() : row[column]))));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

export function jsonOf(rows: readonly BiometricQuery[]): string {
  return JSON.stringify(rows, null, 2);
}
