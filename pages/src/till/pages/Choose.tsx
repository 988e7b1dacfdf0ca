import { useState } from 'react';
import { type Page as PageOf, tell } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { useWords } from '../../shared/i18n';
import { COMMON_ASSETS } from '../../shared/money';
import { go } from '../../shared/router';
import { say } from '../../shared/say';
import { signOut } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import type { ShopLine, Till } from '../answers';
import { Act, Avatar, Empty, Field, Notice, Pick, Row, Rows, Tag, Waiting, nameOf } from '../kit';
import { choosePlace, usePlace } from '../place';

/** Which shop, then which till this device stands for; or the first shop of all. */
export function Choose() {
  const { t } = useWords();
  const { shop } = usePlace();
  const [chosen, setChosen] = useState(shop);
  const [opening, setOpening] = useState(false);
  const { data, problem, loading, again } = useAsk<PageOf<ShopLine>>('/v1/shop/shops', { limit: 100 });
  if (!data) return <div className="till-narrow"><Waiting loading={loading} problem={problem} again={again} /></div>;
  const line = data.items.find((one) => one.shop.id === chosen) ?? (data.items.length === 1 ? data.items[0] : undefined);
  return (
    <div className="till-narrow page">
      {opening || data.items.length === 0 ? (
        <OpenShop first={data.items.length === 0} onBack={() => setOpening(false)} onDone={(made) => { setOpening(false); again(); setChosen(made); }} />
      ) : line && (chosen || data.items.length === 1) ? (
        <ChooseTill line={line} onBack={data.items.length > 1 ? () => setChosen('') : undefined} />
      ) : (
        <>
          <header className="page-head"><h1>{t('choose.which_shop')}</h1></header>
          <Rows>
            {data.items.map((one) => (
              <Row key={one.shop.id} onClick={() => setChosen(one.shop.id)} lead={<Avatar party={one.shop} />} title={nameOf(one.shop, t('choose.shop'))} text={t(`roles.${one.role}`)} end={one.state === 'open' ? undefined : <Tag tone="warn">{t(`shop_states.${one.state}`)}</Tag>} />
            ))}
          </Rows>
        </>
      )}
      {opening || data.items.length === 0 ? null : <button type="button" className="link" onClick={() => setOpening(true)}>{t('choose.open_shop')}</button>}
      <button type="button" className="link" onClick={() => { choosePlace({ shop: '', till: '' }); void signOut(); }}>{t('common.sign_out')}</button>
    </div>
  );
}

function ChooseTill({ line, onBack }: { line: ShopLine; onBack?: () => void }) {
  const { t } = useWords();
  const shop = line.shop.id;
  const [label, setLabel] = useState('');
  const { data, problem, loading, again } = useAsk<PageOf<Till>>('/v1/shop/tills', { shop, limit: 100 });
  const take = (till: string) => {
    choosePlace({ shop, till });
    go('/', { replace: true });
  };
  const add = async () => {
    const made = await tell<{ till: string }>('/v1/shop/add_till', { shop, label: label.trim(), tip: 'none' });
    take(made.till);
  };
  const tills = data?.items.filter((one) => one.state !== 'removed') ?? [];
  return (
    <>
      <header className="page-head"><Avatar party={line.shop} /><h1>{nameOf(line.shop, t('choose.shop'))}</h1></header>
      {line.state === 'open' ? null : <Notice tone="warn" icon="warn"><p>{t('choose.not_open', { state: t(`shop_states.${line.state}`) })}</p></Notice>}
      {data ? null : <Waiting loading={loading} problem={problem} again={again} />}
      {tills.length ? (
        <Rows title={t('choose.which_till')}>
          {tills.map((one) => <Row key={one.till} onClick={() => take(one.till)} icon="store" title={one.label ?? `…${one.till.slice(-6)}`} text={one.tip === 'ask' ? t('tills.tip_ask') : undefined} />)}
        </Rows>
      ) : data ? <Empty icon="store" title={t('choose.no_tills')} text={t('choose.no_tills_text')} /> : null}
      {line.role === 'cashier' ? null : (
        <form className="card" onSubmit={(event) => event.preventDefault()}>
          <Field label={t('choose.new_till')} value={label} onChange={setLabel} placeholder={t('choose.new_till_hint')} maxLength={40} />
          <Act type="submit" fill="outline" disabled={!label.trim()} act={add}>{t('choose.add_till')}</Act>
        </form>
      )}
      {data ? <button type="button" className="link" onClick={() => take('')}>{t('choose.without_till')}</button> : null}
      {onBack ? <button type="button" className="link" onClick={onBack}>{t('choose.other_shop')}</button> : null}
    </>
  );
}

const CATEGORIES = ['5411', '5462', '5812', '5814', '5499', '5651', '5942', '5912', '7011', '7230', '4121', '5999'] as const;

function OpenShop({ first, onBack, onDone }: { first: boolean; onBack: () => void; onDone: (shop: string) => void }) {
  const { t, language, asset: named } = useWords();
  const [name, setName] = useState('');
  const [city, setCity] = useState('');
  const [asset, setAsset] = useState('EUR');
  const [country, setCountry] = useState(() => new Intl.Locale(navigator.language).maximize().region ?? 'FR');
  const [category, setCategory] = useState<string>('5999');
  const countries = new Intl.DisplayNames([language], { type: 'region' });
  const open = async () => {
    const made = await tell<{ shop: Party }>('/v1/shop/register', { asset, country, category: Number(category), alias: null });
    await tell(`/v1/parties/${made.shop.id}`, { name: name.trim(), ...(city.trim() ? { city: city.trim() } : {}) }, { method: 'PATCH' });
    say(t('choose.opened'), 'good');
    onDone(made.shop.id);
  };
  const regions = 'FR BE CH DE LU NL IT ES PT AT IE GB CZ PL SE NO DK FI CN HK SG JP KR US CA AU PH IN BR TN'.split(' ');
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <header className="page-head"><h1>{t(first ? 'choose.first_shop' : 'choose.open_shop')}</h1></header>
      <p className="quiet">{t('choose.first_shop_text')}</p>
      <Field label={t('choose.name')} value={name} onChange={setName} maxLength={60} required autoFocus />
      <Field label={`${t('choose.city')} (${t('common.optional')})`} value={city} onChange={setCity} maxLength={60} />
      <Pick label={t('choose.category')} value={category} onChange={setCategory} options={CATEGORIES.map((code) => [code, t(`mcc.${code}`)] as const)} />
      <div className="pair">
        <Pick label={t('choose.country')} value={country} onChange={setCountry} options={(regions.includes(country) ? regions : [country, ...regions]).map((code) => [code, countries.of(code) ?? code] as const)} />
        <Pick label={t('money.currency')} value={asset} onChange={setAsset} options={COMMON_ASSETS.map((code) => [code, `${code} · ${named(code)}`] as const)} />
      </div>
      <Act type="submit" disabled={!name.trim()} act={open}>{t('choose.open_now')}</Act>
      {first ? null : <button type="button" className="link" onClick={onBack}>{t('common.back')}</button>}
    </form>
  );
}
