import type { SqlAnswer } from './answers';

/** A cell of CSV by RFC 4180. */
const csvCell = (value: string | number | null): string => (value === null ? '' : /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
export const csvOf = (told: Pick<SqlAnswer, 'columns' | 'rows'>): string => [told.columns, ...told.rows].map((row) => row.map(csvCell).join(',')).join('\r\n').concat('\r\n');
