import { useState } from 'react';
import { type Page as Listed, asProblem, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go } from '../../shared/router';
import { say } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Choice, Empty, Field, Notice, Page, Row, Rows, Sheet, Tag, Waiting, copy } from '../ui';

interface Reference {
  reference: string;
  reference_spaced: string;
  iban: string;
  bic: string;
  name: string;
}

/** Put money in: a bank transfer with one's own reference; in a sandbox the bank pays by a button. */
export function TopUp() {
  const { t } = useWords();
  const { asset, assets, choose } = usePurses();
  const { data, problem, loading, again } = useAsk<Reference>('/v1/bank/reference', { asset });
  const health = useAsk<{ sandbox?: boolean }>('/health');
  const [minor, setMinor] = useState<number | null>(null);
  const none = problem?.code === 'bank_reference_not_found';
  const facts: [string, string][] = data ? [[t('bank.name'), data.name], ['IBAN', data.iban.replace(/(.{4})(?=.)/g, '$1 ')], ['BIC', data.bic], [t('bank.reference'), data.reference_spaced || data.reference]] : [];
  return (
    <Page title={t('bank.top_up')}>
      {assets.length > 1 ? <Choice label={t('money.currency')} value={asset} onChange={choose} options={assets.map((one) => [one, one] as const)} /> : null}
      {none ? (
        <Empty icon="bank" title={t('bank.first')} text={t('bank.first_text')}><Act block={false} act={async () => { await tell('/v1/bank/take_reference'); again(); }}>{t('bank.take')}</Act></Empty>
      ) : (
        <Waiting loading={loading && !data} problem={problem} again={again} />
      )}
      {data ? (
        <>
          <p className="quiet">{t('bank.text')}</p>
          <dl className="facts">
            {facts.map(([label, value]) => (
              <div key={label}><dt>{label}</dt><dd><button type="button" className="link" title={t('common.copy')} onClick={() => void copy(value.replaceAll(' ', '')).then((done) => { if (done) say(t('common.copied'), 'good'); })}>{value}</button></dd></div>
            ))}
          </dl>
          <p className="hint">{t('bank.reference_text')}</p>
        </>
      ) : null}
      {data && health.data?.sandbox ? (
        <section className="card" aria-labelledby="sandbox">
          <h2 id="sandbox">{t('bank.sandbox')}</h2>
          <p className="quiet">{t('bank.sandbox_text')}</p>
          <MoneyInput label={t('send.amount')} asset={asset} value={minor} onChange={setMinor} />
          <Act disabled={!minor} act={async () => { await tell('/v1/sandbox/bank-transfer', { asset, amount_minor: minor }); say(t('bank.coming'), 'good'); go('/'); }}>{t('bank.sandbox_pay')}</Act>
        </section>
      ) : null}
    </Page>
  );
}

interface Linked {
  account_ref: string;
  iban?: string | null;
}

interface Withdrawal {
  withdrawal: string;
  asset: string;
  amount_minor: number;
  asked: string;
  state: string;
}

const blank = (text: string | null | undefined) => (text ? text.replace(/\s/g, '').replace(/(.{4})(?=.)/g, '$1 ') : '••••');

/** The check digits of an IBAN (ISO 13616, mod 97), so that a slip is told before anything is sent. */
export function ibanFits(text: string): boolean {
  const iban = text.replace(/\s/g, '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) return false;
  let rest = 0;
  for (const sign of iban.slice(4) + iban.slice(0, 4)) rest = Number(`${rest}${Number.parseInt(sign, 36)}`) % 97;
  return rest === 1;
}

export function Withdraw() {
  const { t, money, date } = useWords();
  const { purse, asset, assets, choose } = usePurses();
  const accounts = useAsk<{ items: Linked[] }>('/v1/bank/accounts', undefined, { on: ['bank.'] });
  const past = useAsk<Listed<Withdrawal>>('/v1/bank/withdrawals', undefined, { on: ['bank.'] });
  const [to, setTo] = useState('');
  const [minor, setMinor] = useState<number | null>(null);
  const [linking, setLinking] = useState(false);
  const [iban, setIban] = useState('');
  const [wrong, setWrong] = useState('');
  const items = accounts.data?.items ?? [];
  const chosen = to || items[0]?.account_ref || '';
  const tooMuch = minor !== null && purse !== undefined && minor > purse.available_minor;
  const link = async () => {
    setWrong('');
    try {
      await tell('/v1/bank/accounts', { iban: iban.replace(/\s/g, '').toUpperCase() });
      setLinking(false);
      setIban('');
      accounts.again();
    } catch (error) {
      const problem = asProblem(error);
      if (problem.where.includes('iban') || problem.code.startsWith('iban')) setWrong(t('bank.iban_wrong'));
      else throw problem;
    }
  };
  return (
    <Page title={t('bank.withdraw')}>
      <Waiting {...accounts} loading={accounts.loading && !accounts.data} />
      {accounts.data && items.length === 0 ? <Empty icon="bank" title={t('bank.no_account')} text={t('bank.no_account_text')}><button type="button" className="button" onClick={() => setLinking(true)}>{t('bank.link')}</button></Empty> : null}
      {items.length > 0 ? (
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <MoneyInput label={t('send.amount')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} problem={tooMuch ? t('codes.exceeds_funds') : undefined} hint={purse ? t('send.available', { amount: money(purse.available_minor, asset) }) : ''} />
          <Choice label={t('bank.to')} value={chosen} onChange={setTo} options={items.map((one) => [one.account_ref, blank(one.iban)] as const)} />
          <button type="button" className="link" onClick={() => setLinking(true)}>{t('bank.link')}</button>
          <Act type="submit" disabled={!minor || tooMuch} act={async () => { await tell('/v1/bank/withdraw', { account_ref: chosen, asset, amount_minor: minor }); say(t('bank.on_its_way'), 'good'); setMinor(null); past.again(); }}>{t('bank.withdraw')}</Act>
        </form>
      ) : null}
      {past.data && past.data.items.length > 0 ? (
        <Rows title={t('bank.past')}>{past.data.items.map((one) => <Row key={one.withdrawal} icon="withdraw" title={<Amount minor={one.amount_minor} asset={one.asset} />} text={date(one.asked)} end={<Tag tone={one.state === 'booked' ? 'good' : ['rejected', 'returned'].includes(one.state) ? 'bad' : 'warn'}>{t(`withdrawal_states.${one.state}`)}</Tag>} />)}</Rows>
      ) : null}
      <Notice icon="lock"><p>{t('bank.private')}</p></Notice>
      <Sheet open={linking} title={t('bank.link')} onClose={() => setLinking(false)}>
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <Field label="IBAN" value={iban} onChange={(value) => { setIban(value); setWrong(''); }} problem={wrong || undefined} placeholder="CZ65 0800 0000 1920 0014 5399" autoComplete="off" maxLength={42} />
          <Act type="submit" disabled={!ibanFits(iban)} act={link}>{t('bank.link')}</Act>
        </form>
      </Sheet>
    </Page>
  );
}
