import Input from 'antd/es/input';
import { useEffect, useState } from 'react';
import { useWords } from '../../shared/i18n';
import { Card, Facts } from '../../operator/parts/ui';
import { Drop } from '../Drop';
import { Verdict, useWhy } from '../Verdict';
import { keptLedger } from '../known';
import { assetOf, decimalText } from '../proof/assets';
import { type Bytes, hex } from '../proof/bytes';
import { type Document, type Receipt, aboutOf, readDocument } from '../proof/documents';
import { type Proven, verify } from '../proof/verify';

/** A receipt, checked in the browser itself: nothing is sent anywhere. */
export function Check() {
  const { t } = useWords();
  const why = useWhy();
  const [trusted, setTrusted] = useState(keptLedger);
  const [bytes, setBytes] = useState<{ raw: Bytes; name: string }>();
  const [shown, setShown] = useState<{ proven?: Proven; error?: unknown }>();
  const good = trusted === '' || /^([0-9a-f]{32}|[0-9a-f]{64})$/.test(trusted);
  useEffect(() => {
    let over = false;
    if (!bytes || !good) return undefined;
    const check = async () => {
      try {
        const proven = await verify(readDocument(bytes.raw), trusted);
        if (!over) setShown({ proven });
      } catch (error) {
        if (!over) setShown({ error });
      }
    };
    void check();
    return () => { over = true; };
  }, [bytes, trusted, good]);
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{t('check.title')}</h1><p>{t('check.text')}</p></div></header>
      <div className="op-two">
        <Drop title={t('check.drop')} text={t('check.drop_text')} onBytes={(raw, name) => { setShown(undefined); setBytes({ raw, name }); }} />
        <Card title={t('check.trust')}>
          <label className="op-label">{t('check.trusted')}<Input className="op-code" value={trusted} spellCheck={false} autoComplete="off" status={good ? undefined : 'error'} onChange={(event) => setTrusted(event.target.value.trim().toLowerCase())} /></label>
          <p className="quiet">{t(good ? 'check.trust_text' : 'check.trust_bad')}</p>
        </Card>
      </div>
      {shown?.error ? <Verdict answer good={false} title={t('check.no')}><p>{why(shown.error)}</p>{bytes?.name ? <p><code>{bytes.name}</code></p> : null}</Verdict> : null}
      {shown?.proven ? <Shown proven={shown.proven} /> : null}
    </div>
  );
}

function Shown({ proven }: { proven: Proven }) {
  const { t, number, date } = useWords();
  const { document } = proven;
  const { head } = document;
  const when = date(Number(head.timeNs / 1_000_000n), { dateStyle: 'long', timeStyle: 'medium' });
  return (
    <>
      <Verdict answer good={proven.trusted ? true : 'half'} title={t(proven.trusted ? 'check.yes' : 'check.half')}>
        <ul>
          {document.kind === 'receipt' ? <li>{t('check.place', { leaf: number(Number(document.leaf)), size: number(Number(head.size)), entry: number(Number(head.entry)), when })}</li> : <li>{t('check.head', { size: number(Number(head.size)), entry: number(Number(head.entry)), when })}</li>}
          <li>{t(proven.trusted ? (proven.keys > 1 ? 'check.leads_keys' : 'check.leads') : 'check.compare', { keys: number(proven.keys), id: proven.ledgerId })}</li>
          {document.kind === 'receipt' ? <li>{t('check.nothing_else')}</li> : null}
        </ul>
      </Verdict>
      {document.kind === 'receipt' ? <About receipt={document} /> : null}
      <Card title={t('check.proof')}>
        <Facts items={[[t('ledger.id'), <code key="i">{proven.ledgerId}</code>], ...(proven.note ? [[t('check.note'), proven.note] as const] : []), [t('ledger.root'), <code key="r">{hex(head.root)}</code>], [t('ledger.key'), <code key="k">{proven.signer}</code>], [t('check.steps'), number(stepsOf(document))]]} />
        {document.kind === 'receipt' ? <Path receipt={document} /> : null}
      </Card>
    </>
  );
}

const stepsOf = (document: Document) => (document.kind === 'receipt' ? document.path.length : document.proof.length);
const idText = (decimal: string) => (BigInt(decimal) < 1n << 64n ? decimal : BigInt(decimal).toString(16).padStart(32, '0'));

function About({ receipt }: { receipt: Receipt }) {
  const { t, date } = useWords();
  const about = aboutOf(receipt);
  if ('reply' in about) {
    const { reply } = about;
    return <Card title={t('about.reply')}><p className="about-amount">{reply.code === 'ok' ? t('about.accepted') : reply.code}</p><Facts items={[[t('about.command'), <code key="c">{reply.command}</code>], [t('ledger.entry'), reply.entry], [t('about.at'), date(Number(BigInt(reply.time_ns) / 1_000_000n), { dateStyle: 'long', timeStyle: 'medium' })]]} /></Card>;
  }
  const { transfer } = about;
  const asset = assetOf(transfer.asset);
  const flags = transfer.flags;
  const verb = flags & 2 ? 'held' : flags & 4 ? 'captured' : flags & (8 | 32768) ? 'released' : 'moved';
  return (
    <Card title={t(`about.${verb}`)}>
      <p className="about-amount">{decimalText(BigInt(transfer.amount), asset.decimals)} <small>{asset.code}</small></p>
      <Facts items={[[t('about.from'), <code key="f">{idText(transfer.debit_account)}</code>], [t('about.to'), <code key="t">{idText(transfer.credit_account)}</code>], [t('about.at'), date(Number(BigInt(transfer.time_ns) / 1_000_000n), { dateStyle: 'long', timeStyle: 'medium' })], [t('about.id'), <code key="i">{idText(transfer.id)}</code>], ...(transfer.hold === '0' ? [] : [[t('about.hold'), <code key="h">{idText(transfer.hold)}</code>] as const]), [t('about.code'), transfer.code]]} />
    </Card>
  );
}

/** The way from the leaf up to the signed root, as a picture. */
function Path({ receipt }: { receipt: Receipt }) {
  const { t } = useWords();
  const steps = receipt.path.length;
  const height = 58 + steps * 34;
  let index = receipt.leaf;
  let last = receipt.head.size - 1n;
  const sides = receipt.path.map(() => {
    const left = (index & 1n) === 1n || index === last;
    if (left) while (!(index & 1n) && index !== 0n) [index, last] = [index >> 1n, last >> 1n];
    [index, last] = [index >> 1n, last >> 1n];
    return left;
  });
  return (
    <svg className="path-picture" viewBox={`0 0 320 ${height}`} role="img" aria-label={t('check.path', { count: steps })}>
      {sides.map((left, at) => {
        const y = height - 24 - at * 34;
        const x = left ? 96 : 224;
        return (
          <g key={at}>
            <path d={`M160 ${y}V${y - 34}M${x} ${y}C${x} ${y - 22} 160 ${y - 12} 160 ${y - 34}`} fill="none" stroke="var(--line)" strokeWidth="2.5" />
            <circle cx={x} cy={y} r="6.500" fill="var(--straw)" /><text x={left ? x - 14 : x + 14} y={y + 4} textAnchor={left ? 'end' : 'start'} fontSize="10" fill="var(--muted)" fontFamily="ui-monospace, monospace">{hex(receipt.path[at] ?? new Uint8Array()).slice(0, 8)}</text>
            <circle cx="160" cy={y} r={at === 0 ? 9 : 5} fill={at === 0 ? 'var(--clay)' : 'var(--muted)'} />
          </g>
        );
      })}
      <circle cx="160" cy={height - 24 - steps * 34} r="11" fill="var(--moss)" />
      <text x="180" y={height - 20 - steps * 34} fontSize="12" fontWeight="650" fill="var(--ink)">{t('check.root_signed')}</text>
      <text x="160" y={height - 4} textAnchor="middle" fontSize="12" fontWeight="650" fill="var(--ink)">{t('check.leaf')}</text>
    </svg>
  );
}
