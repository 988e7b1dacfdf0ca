import { useEffect, useState } from 'react';
import { hex, utf8 } from '../../explorer/proof/bytes';
import { type Document, readDocument } from '../../explorer/proof/documents';
import { verify } from '../../explorer/proof/verify';
import { useWords } from '../../shared/i18n';
import { decimalOf } from '../../shared/money';
import { useAsk } from '../../shared/useAsk';
import type { Backed } from '../answers';
import { BackingDays } from '../parts/BackingDays';
import { Asked, BigMoney, Card, Facts, Money, Page, StateTag } from '../parts/ui';

/** Customers' money against what is at the banks, with the head that the ledger signed. */
export function Backing() {
  const { t, date } = useWords();
  const all = useAsk<{ at: string; items: Backed[] }>('/v1/bank/backing', {}, { everyS: 30 });
  return (
    <Page title={t('nav.backing')} text={t('backing.text')}>
      <Asked of={all}>
        {(data) => (
          <>
            <div className="op-grid">{data.items.map((one) => <One key={one.asset} of={one} />)}</div>
            <BackingDays assets={data.items.map((one) => one.asset)} />
            <Head asOf={date(data.at)} />
          </>
        )}
      </Asked>
    </Page>
  );
}

function One({ of }: { of: Backed }) {
  const { t } = useWords();
  const top = Math.max(of.customers_minor, of.nostro_minor, 1);
  return (
    <Card className="op-backing" title={of.asset} side={<StateTag state={of.backed ? 'approved' : 'rejected'} words={t(of.backed ? 'backing.whole' : 'backing.short')} />}>
      <div className="op-pillars" role="img" aria-label={t('backing.picture', { customers: decimalOf(of.customers_minor, of.asset), banks: decimalOf(of.nostro_minor, of.asset), asset: of.asset })}>
        <div><span style={{ height: `${(100 * of.customers_minor) / top}%` }} data-what="customers" /></div>
        <div><span style={{ height: `${(100 * of.nostro_minor) / top}%` }} data-what="banks" /></div>
      </div>
      <div className="op-pillar-words">
        <div><small>{t('backing.customers')}</small><BigMoney minor={of.customers_minor} asset={of.asset} /></div>
        <div><small>{t('backing.banks')}</small><BigMoney minor={of.nostro_minor} asset={of.asset} /></div>
      </div>
      <Facts items={[[t('backing.own'), <Money key="o" minor={of.own_minor} asset={of.asset} />], [t('backing.claims'), <Money key="c" minor={of.claims_minor} asset={of.asset} />], [t('backing.ratio'), <code key="r">{of.ratio_of} : {of.ratio_to}</code>]]} />
      <p className="quiet">{t('backing.equation')}</p>
    </Card>
  );
}

/** The newest signed head, checked here and now. */
function Head({ asOf }: { asOf: string }) {
  const { t, number, date } = useWords();
  const [state, setState] = useState<{ document?: Document; ledger?: string; wrong?: boolean }>({});
  useEffect(() => {
    void (async () => {
      try {
        const reply = await fetch('/v1/head', { credentials: 'same-origin' });
        const document = readDocument(utf8(await reply.text()));
        const proven = await verify(document);
        setState({ document, ledger: proven.ledgerId });
      } catch {
        setState({ wrong: true });
      }
    })();
  }, [asOf]);
  const { document } = state;
  return (
    <Card title={t('backing.head')} side={document ? <StateTag state="approved" words={t('backing.checked')} /> : state.wrong ? <StateTag state="rejected" words={t('backing.not_checked')} /> : null}>
      <p className="quiet">{t('backing.head_text', { date: asOf })}</p>
      {document ? <Facts items={[[t('backing.entry'), number(Number(document.head.entry))], [t('backing.leaves'), number(Number(document.head.size))], [t('backing.signed'), date(Number(document.head.timeNs / 1_000_000n))], [t('backing.root'), <code key="r">{hex(document.head.root)}</code>], [t('backing.ledger'), <code key="l">{state.ledger}</code>]]} /> : null}
      <p><a href="/explorer">{t('backing.explorer')}</a></p>
    </Card>
  );
}
