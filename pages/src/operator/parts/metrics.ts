/** Prometheus' text form, as far as pictures of health need it. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function readMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const found = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const [, name = '', inner = '', value = ''] = found;
    const labels: Record<string, string> = {};
    for (const [, key = '', said = ''] of inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = said.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
    samples.push({ name, labels, value: value === '+Inf' ? Infinity : Number(value) });
  }
  return samples;
}

export const sum = (samples: readonly Sample[], name: string, of: (labels: Record<string, string>) => boolean = () => true): number =>
  samples.reduce((all, one) => (one.name === name && of(one.labels) ? all + one.value : all), 0);

/** Buckets of a histogram added over its labels: [upper bound, how many in it]. */
export function histogram(samples: readonly Sample[], name: string): [number, number][] {
  const upTo = new Map<number, number>();
  for (const one of samples) {
    if (one.name !== `${name}_bucket`) continue;
    const bound = one.labels.le === '+Inf' ? Infinity : Number(one.labels.le);
    upTo.set(bound, (upTo.get(bound) ?? 0) + one.value);
  }
  const sorted = [...upTo].sort(([a], [b]) => a - b);
  return sorted.map(([bound, count], at) => [bound, count - (sorted[at - 1]?.[1] ?? 0)]);
}

/** The smallest bound under which this part of all lies. */
export function quantile(buckets: readonly [number, number][], part: number): number | undefined {
  const all = buckets.reduce((total, [, count]) => total + count, 0);
  let seen = 0;
  for (const [bound, count] of buckets) {
    seen += count;
    if (all > 0 && seen >= all * part) return bound;
  }
  return undefined;
}
