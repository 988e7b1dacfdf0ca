import type { Backed } from '../../operator/answers';
import { BackingDays } from '../../operator/parts/BackingDays';
import { Asked, Card, Facts, Money, StateTag } from '../../operator/parts/ui';
import { useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';

/** Whether everybody's money is there: now, and on each day so far. For anybody. */
export function Backing() {
  const { t, date } = useWords();
  const all = useAsk<{ at: string; items: Backed[] }>('/v1/bank/backing', {}, { everyS: 60 });
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{t('backing.title')}</h1><p>{t('backing.text')}</p></div></header>
      <Asked of={all}>
        {(data) => (
          <>
            {data.items.map((one) => (
              <Card key={one.asset} title={`${t('backing.now')} · ${one.asset}`} side={<StateTag state={one.backed ? 'approved' : 'rejected'} words={t(one.backed ? 'backing.whole' : 'backing.short')} />}>
                <p className="quiet">{date(data.at)}</p>
                <Facts items={[[t('backing.customers'), <Money key="c" minor={one.customers_minor} asset={one.asset} strong />], [t('backing.banks'), <Money key="b" minor={one.nostro_minor} asset={one.asset} strong />], [t('backing.own'), <Money key="o" minor={one.own_minor} asset={one.asset} />], [t('backing.claims'), <Money key="w" minor={one.claims_minor} asset={one.asset} />]]} />
              </Card>
            ))}
            <BackingDays assets={data.items.map((one) => one.asset)} />
          </>
        )}
      </Asked>
    </div>
  );
}
