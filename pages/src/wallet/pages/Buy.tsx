import { useEffect, useMemo, useState } from 'react';
import type { Party } from '../../shared/answers';
import { newKey, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go, search } from '../../shared/router';
import { sayProblem } from '../../shared/say';
import { useSession } from '../../shared/session';
import { Parts } from '../parts/Parts';
import { PartyCard, PartyField, findParty } from '../parts/PartyField';
import { ShareLink } from '../parts/ShareLink';
import { type Part, canSplit, carriersWork, inDays, milestonesOf, newRecipientCode, readKey, readOffer, writeOffer } from '../parts/terms';
import { usePurses } from '../parts/usePurses';
import { Act, Choice, Field, Loading, Notice, Page } from '../ui';

const DAY_S = 86_400;
const SILENCE_DAYS = 14;
const INSPECT_DAYS = 3;

/** Put money in between: for whom, what, in which parts, and whether a carrier signs that it came. */
export function Buy({ place, found }: { place: string; found: Record<string, string> }) {
  const { t, money } = useWords();
  const offer = useMemo(() => readOffer(search(place)), [place]);
  const { asset, assets, choose, purse } = usePurses();
  const [party, setParty] = useState<Party>();
  const [lost, setLost] = useState(false);
  const [minor, setMinor] = useState(offer.minor);
  const [what, setWhat] = useState(offer.what);
  const [parts, setParts] = useState<Part[]>(offer.parts);
  const [carrier, setCarrier] = useState(offer.carrierKey);
  const [days, setDays] = useState('7');
  const [silence, setSilence] = useState<'release' | 'refund'>('refund');
  // What is told must stay the same when it has to be told again: the time, the recipient's code and the key.
  const once = useMemo(() => ({ key: newKey(), shipBy: inDays(Number(days)), code: undefined as Promise<string> | undefined }), [party, minor, asset, what, parts, carrier, days, silence]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => {
    if (found.to) findParty(found.to).then(setParty).catch((error: unknown) => { sayProblem(error); setLost(true); });
  }, [found.to]);
  useEffect(() => { if (assets.includes(offer.asset)) choose(offer.asset); }, [assets.length]); // eslint-disable-line react-hooks/exhaustive-deps
  const signs = readKey(carrier);
  const wrongKey = carrier.trim() !== '' && signs === null;
  const tooMuch = minor !== null && purse !== undefined && minor > purse.available_minor;
  const unsplit = minor !== null && !canSplit(minor, parts);
  const ready = minor !== null && minor > 0 && !tooMuch && !unsplit && !wrongKey && what.trim() !== '';
  const buy = async () => {
    if (signs) once.code ??= newRecipientCode();
    const made = await tell<{ order: string }>('/v1/escrow/buy', {
      seller: party?.id, asset, amount_minor: minor, ship_by: once.shipBy, silence, silence_s: SILENCE_DAYS * DAY_S, inspect_s: INSPECT_DAYS * DAY_S,
      carrier: null, carrier_key: signs, code: (await once.code) ?? null, milestones: milestonesOf(minor ?? 0, parts), note: what.trim(),
    }, { key: once.key });
    go(`/order/${made.order}`, { replace: true });
  };
  if (found.to && !party && !lost) return <Page title={t('buy.title')} up="/orders"><Loading /></Page>;
  return (
    <Page title={t('buy.title')} up="/orders">
      <Notice tone="good" icon="shieldOk" title={t('buy.how')}><p>{t('buy.how_text')}</p></Notice>
      {party ? (
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <PartyCard party={party} onChange={() => { setParty(undefined); setLost(true); }} />
          <Field label={t('buy.what')} value={what} onChange={setWhat} maxLength={200} />
          <MoneyInput label={t('buy.price')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} problem={tooMuch ? t('codes.exceeds_funds') : unsplit ? t('parts.too_many') : undefined} />
          <Parts parts={parts} onChange={setParts} minor={minor} asset={asset} text={t('parts.buy_text')} />
          <CarrierField value={carrier} onChange={setCarrier} wrong={wrongKey} />
          <Choice label={t('buy.ship_by')} value={days} onChange={setDays} options={['3', '7', '14', '30'].map((one) => [one, t('buy.days', { count: Number(one) })] as const)} />
          <Choice label={t('buy.silence')} value={silence} onChange={setSilence} options={[['refund', t('buy.refund')], ['release', t('buy.release')]]} />
          <Act type="submit" disabled={!ready} act={buy}>{minor ? t('buy.fund', { amount: money(minor, asset) }) : t('buy.title')}</Act>
          <p className="hint">{t('buy.cancel_text')}</p>
        </form>
      ) : (
        <PartyField label={t('buy.who')} onFound={setParty} />
      )}
    </Page>
  );
}

function CarrierField({ value, onChange, wrong }: { value: string; onChange: (key: string) => void; wrong: boolean }) {
  const { t } = useWords();
  const [open] = useState(value !== '');
  if (!carriersWork()) return null;
  return (
    <details className="more" open={open}>
      <summary>{t('carrier.name')} ({t('common.optional')})</summary>
      <Field label={t('carrier.key')} value={value} onChange={onChange} hint={t('carrier.key_text')} problem={wrong ? t('carrier.key_wrong') : undefined} maxLength={100} autoComplete="off" placeholder={t('carrier.key_placeholder')} />
    </details>
  );
}

/** Offer something to somebody one doesn't know: a link with what, price, parts and carrier; they only have to pay in. */
export function Sell() {
  const { t } = useWords();
  const { profile, person } = useSession();
  const { asset, assets, choose } = usePurses();
  const [minor, setMinor] = useState<number | null>(null);
  const [what, setWhat] = useState('');
  const [parts, setParts] = useState<Part[]>([]);
  const [carrier, setCarrier] = useState('');
  const [made, setMade] = useState('');
  const signs = readKey(carrier);
  const wrongKey = carrier.trim() !== '' && signs === null;
  const unsplit = minor !== null && !canSplit(minor, parts);
  const me = profile?.alias ? `@${profile.alias}` : (person?.person.id ?? '');
  const make = async () => setMade(`/buy/${me}?${writeOffer({ what: what.trim(), minor, asset, parts, carrierKey: signs ?? '' })}`);
  if (made) {
    return (
      <Page title={t('sell.title')} up="/orders">
        <ShareLink way={made} alt={t('sell.qr')} text={t('sell.share_text')} />
        <button type="button" className="link" onClick={() => setMade('')}>{t('sell.change')}</button>
      </Page>
    );
  }
  return (
    <Page title={t('sell.title')} up="/orders">
      <Notice tone="good" icon="shieldOk" title={t('sell.how')}><p>{t('sell.how_text')}</p></Notice>
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <Field label={t('sell.what')} value={what} onChange={setWhat} maxLength={200} />
        <MoneyInput label={t('buy.price')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} problem={unsplit ? t('parts.too_many') : undefined} />
        <Parts parts={parts} onChange={setParts} minor={minor} asset={asset} text={t('parts.sell_text')} />
        <CarrierField value={carrier} onChange={setCarrier} wrong={wrongKey} />
        <Act type="submit" disabled={!minor || unsplit || wrongKey || !what.trim()} act={make}>{t('sell.make')}</Act>
      </form>
    </Page>
  );
}
