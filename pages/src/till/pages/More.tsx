import { useRef, useState } from 'react';
import { asProblem, tell } from '../../shared/api';
import { LANGUAGES, type Language, problemText, setLanguage, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go } from '../../shared/router';
import { Scanner } from '../../shared/Scanner';
import { signOut, useSession } from '../../shared/session';
import { type Look, setLook, useLook } from '../../shared/theme';
import { MAY } from '../answers';
import { useShop } from '../here';
import { Act, Choice, Field, Page, Pick, Row, Rows, nameOf } from '../kit';
import { choosePlace, ring, usePlace, useWishes, wish } from '../place';

/** All that is not selling. */
export function More() {
  const { t, language } = useWords();
  const { card, role } = useShop();
  const { person } = useSession();
  const look = useLook();
  const wishes = useWishes();
  return (
    <Page title={t('tabs.more')} top>
      <Rows title={t('more.selling')}>
        <Row to="/links" icon="share" title={t('links.title')} text={t('more.links')} />
        <Row to="/exit" icon="out" title={t('exit.title')} text={t('more.exit')} />
        <Row to="/stays" icon="key" title={t('stays.title')} text={t('more.stays')} />
      </Rows>
      <Rows title={nameOf(card.shop, t('choose.shop'))}>
        <Row to="/tills" icon="store" title={t('tills.title')} text={t('more.tills')} />
        {MAY.manage(role) ? <Row to="/staff" icon="people" title={t('staff.title')} text={t('more.staff')} /> : null}
        {MAY.manage(role) ? <Row to="/settlement" icon="bank" title={t('settle.title')} text={t('more.settlement')} /> : null}
        <Row to="/tariffs" icon="scale" title={t('tariffs.title')} text={t('more.tariffs')} />
      </Rows>
      <section className="card">
        <h2>{t('more.device')}</h2>
        <label className="check"><input type="checkbox" checked={wishes.sound} onChange={(event) => { wish({ sound: event.target.checked }); if (event.target.checked) ring(); }} /><span>{t('more.sound')}<small className="hint">{t('more.sound_hint')}</small></span></label>
        <Pick label={t('common.language')} value={language} onChange={(code) => void setLanguage(code as Language)} options={Object.entries(LANGUAGES) as [string, string][]} />
        <Choice label={t('look.title')} value={look} onChange={(next: Look) => setLook(next)} options={[['system', t('look.system')], ['light', t('look.light')], ['dark', t('look.dark')]]} />
      </section>
      <Rows>
        <Row onClick={() => go('/choose')} icon="repeat" title={t('choose.change')} />
        <Row onClick={() => { choosePlace({ shop: '', till: '' }); void signOut(); }} icon="out" title={t('common.sign_out')} text={nameOf(person?.person, '')} />
      </Rows>
    </Page>
  );
}

/** The gate: a token that a customer shows opens it once. */
export function ExitGate() {
  const { t } = useWords();
  const { shop } = usePlace();
  const [token, setToken] = useState('');
  const [round, setRound] = useState(0);
  const [shown, setShown] = useState<{ good: boolean; text: string }>();
  const busy = useRef(false);
  const check = async (text: string) => {
    if (busy.current || !text.trim()) return;
    busy.current = true;
    try {
      await tell('/v1/shop/open-gate', { shop, token: text.trim() });
      setShown({ good: true, text: t('exit.good') });
    } catch (error) {
      setShown({ good: false, text: problemText(asProblem(error)) });
    } finally {
      busy.current = false;
      setToken('');
    }
  };
  return (
    <Page title={t('exit.title')} up="/more">
      {shown ? (
        <section className="gate" data-good={shown.good} role="alert">
          <span className="done-badge" aria-hidden="true"><Icon name={shown.good ? 'check' : 'close'} size={64} /></span>
          <h2>{t(shown.good ? 'exit.open' : 'exit.shut')}</h2>
          <p>{shown.text}</p>
          <Act act={async () => { setShown(undefined); setRound(round + 1); }}>{t('exit.next')}</Act>
        </section>
      ) : (
        <>
          <p className="quiet">{t('exit.text')}</p>
          <Scanner key={round} onText={(text) => void check(text)} />
          <form className="stack" onSubmit={(event) => event.preventDefault()}>
            <Field label={t('exit.token')} value={token} onChange={setToken} maxLength={64} />
            <Act type="submit" disabled={token.trim().length < 8} act={() => check(token)}>{t('exit.check')}</Act>
          </form>
        </>
      )}
    </Page>
  );
}
