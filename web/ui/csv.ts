/** One line of a file of RFC 4180. A spreadsheet must not take a text for a formula: such a cell gets an apostrophe. */
export function csvLine(values: readonly (string | number | undefined)[]): string {
  return values.map((value) => cell(value ?? '')).join(',');
}

function cell(value: string | number): string {
  const text = String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
