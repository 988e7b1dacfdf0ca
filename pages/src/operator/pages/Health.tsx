import { useEffect, useRef, useState } from 'react';
import { asProblem } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';
import { type Sample, histogram, quantile, readMetrics, sum } from '../parts/metrics';
import { Bars, Line } from '../parts/pictures';
import { Asked, Card, Facts, Page, Tiles } from '../parts/ui';

interface Ready {
  status: string;
  ledger: string;
  vault: string;
  store: string;
  entry: number;
}

const EVERY_S = 2;
const KEPT = 90;

/** Is it well: parts, the ledger's size, and requests as they come. */
export function HealthPage() {
  const { t, number } = useWords();
  const health = useAsk<{ status: string; version: string; sandbox: boolean }>('/health');
  const ready = useAsk<Ready>('/ready', undefined, { everyS: 5 });
  const { samples, rates, wrong } = useMetrics();
  const of = (name: string) => Math.round(sum(samples, name));
  const buckets = histogram(samples, 'formicary_request_seconds');
  const refusals = samples.filter((one) => one.name === 'formicary_refusals_total' && one.value > 0).sort((a, b) => b.value - a.value).slice(0, 8);
  const routes = new Map<string, number>();
  for (const one of samples) if (one.name === 'formicary_requests_total') routes.set(one.labels.route ?? '', (routes.get(one.labels.route ?? '') ?? 0) + one.value);
  const busiest = [...routes].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const failed = Math.round(sum(samples, 'formicary_requests_total', (labels) => (labels.status ?? '').startsWith('5')));
  const slow = (part: number) => {
    const bound = quantile(buckets, part);
    return bound === undefined ? '—' : bound === Infinity ? '> 10 s' : bound < 1 ? `≤ ${number(bound * 1000)} ms` : `≤ ${number(bound)} s`;
  };
  const good = ready.data?.status === 'ready';
  return (
    <Page title={t('nav.health')} text={t('health.text')}>
      <Asked of={ready}>
        {(told) => (
          <section className="op-verdict" data-good={good}>
            <span className="op-lamp" aria-hidden="true" />
            <div><h2>{t(good ? 'health.good' : 'health.bad')}</h2><p>{t('health.parts', { ledger: told.ledger, vault: told.vault, store: told.store })}</p></div>
            <small>{health.data ? `${health.data.version}${health.data.sandbox ? ` · ${t('health.sandbox')}` : ''}` : ''}</small>
          </section>
        )}
      </Asked>
      <Tiles
        items={[
          [t('health.entries'), number(ready.data?.entry ?? of('formicary_ledger_entries'))],
          [t('health.accounts'), number(of('formicary_ledger_accounts'))],
          [t('health.transfers'), number(of('formicary_ledger_transfers'))],
          [t('health.unsealed'), number(of('formicary_ledger_unsealed_entries')), of('formicary_ledger_unsealed_entries') > 100 ? 'warn' : undefined],
          [t('health.streams'), number(of('formicary_live_streams'))],
          [t('health.failed'), number(failed), failed ? 'bad' : 'good'],
        ]}
      />
      {wrong ? <p className="quiet">{t('health.no_metrics')}</p> : null}
      <div className="op-two">
        <Card title={t('health.requests')} side={<strong className="op-now">{number(rates.at(-1) ?? 0, { maximumFractionDigits: 1 })}/s</strong>}>
          <Line values={rates} label={t('health.requests')} height={120} />
          <Facts items={[[t('health.half'), slow(0.5)], [t('health.most'), slow(0.99)], [t('health.all_requests'), number(of('formicary_requests_total'))]]} />
        </Card>
        <div className="op-stack">
        <Card title={t('health.refusals')}>{refusals.length ? <Bars label={t('health.refusals')} items={refusals.map((one) => [one.labels.code ?? '', one.value] as const)} /> : <p className="quiet">{t('health.no_refusals')}</p>}</Card>
        <Card title={t('health.busiest')}><Bars label={t('health.busiest')} items={busiest} /></Card>
        </div>
      </div>
    </Page>
  );
}

function useMetrics(): { samples: Sample[]; rates: number[]; wrong: boolean } {
  const [samples, setSamples] = useState<Sample[]>([]);
  const [rates, setRates] = useState<number[]>([]);
  const [wrong, setWrong] = useState(false);
  const before = useRef<{ at: number; count: number }>(undefined);
  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      if (document.hidden) return;
      try {
        const reply = await fetch('/metrics', { signal: stop.signal, credentials: 'same-origin' });
        if (!reply.ok) return setWrong(true);
        const found = readMetrics(await reply.text());
        const now = { at: performance.now(), count: sum(found, 'formicary_requests_total') };
        const last = before.current;
        before.current = now;
        setSamples(found);
        setWrong(false);
        if (last) setRates((all) => [...all, Math.max(0, ((now.count - last.count) * 1000) / Math.max(1, now.at - last.at))].slice(-KEPT));
      } catch (error) {
        if (!stop.signal.aborted && asProblem(error)) setWrong(true);
      }
    };
    void look();
    const timer = setInterval(() => void look(), EVERY_S * 1000);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, []);
  return { samples, rates, wrong };
}
