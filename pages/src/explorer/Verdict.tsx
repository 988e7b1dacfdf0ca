import { type ReactNode, useEffect, useRef } from 'react';
import { hasWords, useWords } from '../shared/i18n';
import { Icon } from '../shared/icons';
import { BadDocument } from './proof/bytes';
import { NotProven } from './proof/verify';

/** What a check has shown, large: proven, or not and why. */
export function Verdict({ good, title, children, answer = false }: { good: boolean | 'half'; title: string; children?: ReactNode; /** Whether somebody has just asked for it, and should see it. */ answer?: boolean }) {
  const here = useRef<HTMLElement>(null);
  useEffect(() => { if (answer) here.current?.scrollIntoView({ block: 'nearest' }); }, [answer, title]);
  return (
    <section ref={here} className="verdict" data-good={String(good)} role="alert">
      <span className="verdict-badge" aria-hidden="true"><Icon name={good === true ? 'shieldOk' : good === 'half' ? 'shield' : 'close'} size={44} /></span>
      <div><h2>{title}</h2>{children}</div>
    </section>
  );
}

/** Why a file proves nothing, in plain words. */
export function useWhy(): (error: unknown) => string {
  const { t } = useWords();
  return (error) => {
    const code = error instanceof BadDocument || error instanceof NotProven ? error.code : 'broken';
    const words = hasWords(`why.${code}`) ? t(`why.${code}`) : t('why.not_exactly');
    return error instanceof BadDocument && error.where ? `${words} (${error.where})` : words;
  };
}
