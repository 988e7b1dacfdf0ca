import { expect, test } from 'vitest';
import { csvOf } from '../src/operator/csv';
import { histogram, quantile, readMetrics, sum } from '../src/operator/parts/metrics';
import { secondsText } from '../src/operator/seconds';
import { assetOf, decimalText, isoNumberOf } from '../src/explorer/proof/assets';

const TEXT = `# HELP formicary_requests_total Requests answered.
formicary_requests_total{method="GET",route="/v1/head",status="200"} 10.0
formicary_requests_total{method="POST",route="/v1/pay/send",status="503"} 2.0
formicary_request_seconds_bucket{le="0.001",route="a"} 50
formicary_request_seconds_bucket{le="0.005",route="a"} 98
formicary_request_seconds_bucket{le="+Inf",route="a"} 100
formicary_request_seconds_bucket{le="0.001",route="b"} 0
formicary_request_seconds_bucket{le="0.005",route="b"} 10
formicary_request_seconds_bucket{le="+Inf",route="b"} 10
formicary_odd{said="a \\"b\\" \\\\ c"} 1
formicary_ledger_entries 7
`;

test('metrics are read and added up', () => {
  const samples = readMetrics(TEXT);
  expect(sum(samples, 'formicary_requests_total')).toBe(12);
  expect(sum(samples, 'formicary_requests_total', (labels) => (labels.status ?? '').startsWith('5'))).toBe(2);
  expect(samples.find((one) => one.name === 'formicary_odd')?.labels.said).toBe('a "b" \\ c');
  expect(sum(samples, 'formicary_ledger_entries')).toBe(7);
});

test('a quantile is the bound under which so many lie', () => {
  const buckets = histogram(readMetrics(TEXT), 'formicary_request_seconds');
  expect(buckets).toEqual([[0.001, 50], [0.005, 58], [Infinity, 2]]);
  expect(quantile(buckets, 0.4)).toBe(0.001);
  expect(quantile(buckets, 0.98)).toBe(0.005);
  expect(quantile(buckets, 0.999)).toBe(Infinity);
  expect(quantile([], 0.5)).toBeUndefined();
});

test('CSV is quoted where it has to be (RFC 4180)', () => {
  expect(csvOf({ columns: ['a', 'b,c'], rows: [[1, 'x "y"'], [null, 'two\nlines']] })).toBe('a,"b,c"\r\n1,"x ""y"""\r\n,"two\nlines"\r\n');
});

test('seconds are said in the largest unit that fits', () => {
  expect(secondsText(86_400, 'en')).toBe('1 day');
  expect(secondsText(43_200, 'en')).toBe('12 hours');
  expect(secondsText(90, 'en')).toBe('90 seconds');
});

test('assets outside ISO 4217 are read back from their number', () => {
  expect(assetOf(978)).toEqual({ code: 'EUR', decimals: 2 });
  expect(isoNumberOf('CZK')).toBe(203);
  expect(isoNumberOf('POINTS')).toBe(0);
  const number = [...'POINTS'].reduce((all, letter) => all * 36 + '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(letter) + 1, 0) + 1000;
  expect(assetOf(number)).toEqual({ code: 'POINTS', decimals: 0 });
  expect(assetOf(1001).code).toBe('#1001');
  expect(decimalText(5n, 3)).toBe('0.005');
});
