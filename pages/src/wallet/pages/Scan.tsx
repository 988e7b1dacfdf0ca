import { useEffect, useRef, useState } from 'react';
import { asProblem, tell } from '../../shared/api';
import { problemText, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { Scanner, readPicture } from '../../shared/Scanner';
import { go, href } from '../../shared/router';
import { Act, Field, Notice, Page } from '../ui';

/** What a code turned out to be. */
export interface CodeRead {
  kind: string;
  payable?: boolean;
  code?: string;
  why?: string;
  order?: string | null;
  shop?: string | { id: string } | null;
  till?: string | null;
  person?: string | { id: string } | null;
  packet?: string | null;
  request?: string | null;
  stay?: string | null;
  institution?: string | null;
  asset?: string | null;
  amount_minor?: number | null;
  name?: string | null;
}

const idOf = (party: string | { id: string } | null | undefined): string => (typeof party === 'string' ? party : (party?.id ?? ''));

/** Where a code leads in the wallet; null when it leads nowhere. */
export function wayOf(code: CodeRead): string | null {
  const amount = code.amount_minor ? `?amount=${code.amount_minor}&asset=${code.asset ?? ''}` : '';
  if (code.institution) {
    const more = new URLSearchParams({ at: code.institution, name: code.name ?? '', ...(code.amount_minor ? { amount: String(code.amount_minor), asset: code.asset ?? '' } : {}) });
    return `/send/${idOf(code.shop)}?${more}`;
  }
  if (code.kind === 'shop_order' && code.order) return `/pay/${code.order}`;
  if (code.kind === 'shop_till' && code.till) return `/till/${idOf(code.shop)}/${code.till}`;
  if (code.kind === 'person') return `/send/${idOf(code.person)}${amount}`;
  if (code.kind === 'packet' && code.packet) return `/packet/${code.packet}`;
  if (code.kind === 'request' && code.request) return `/request/${code.request}`;
  if (code.kind === 'stay' && code.stay) return `/stay/${code.stay}`;
  return null;
}

/** Our own links work without asking: …/#/send/@lena, …/pay/{order}. */
export function ownLink(text: string): string | null {
  try {
    const url = new URL(text);
    if (url.origin !== location.origin) return null;
    if (/^\/pay\/[0-9a-f]{32}$/.test(url.pathname)) return url.pathname;
    return /^#\/(send|packet|request|till|pay|ask|buy|pool|order)\//.test(url.hash) ? url.hash.slice(1) : null;
  } catch {
    return null;
  }
}

export function Scan() {
  const { t } = useWords();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<{ title: string; text: string }>();
  const file = useRef<HTMLInputElement>(null);
  const read = async (code: string) => {
    setWrong(undefined);
    const link = ownLink(code.trim());
    if (link) return go(link);
    if (/^@[a-z][a-z0-9._]+(@[^@\s/?#]+)?$/i.test(code.trim())) return go(`/send/${code.trim()}`);
    try {
      const found = await tell<CodeRead>('/v1/codes:read', { text: code.trim() });
      const way = found.payable === false ? null : wayOf(found);
      if (way) return go(way);
      setWrong({ title: t(found.kind === 'other_scheme' ? 'scan.other' : 'scan.not_payable'), text: found.code ? problemText({ code: found.code, detail: found.why }) : (found.why ?? '') });
    } catch (error) {
      setWrong({ title: t('scan.not_payable'), text: problemText(asProblem(error)) });
    }
    return undefined;
  };
  const look = async (picture: File | undefined) => {
    if (!picture) return;
    const code = await readPicture(picture);
    if (code === null) setWrong({ title: t('scan.no_code'), text: t('scan.no_code_text') });
    else await read(code);
  };
  useEffect(() => {
    const pasted = (event: ClipboardEvent) => {
      const picture = event.clipboardData?.files[0];
      if (!picture) return;
      event.preventDefault();
      void look(picture);
    };
    addEventListener('paste', pasted);
    return () => removeEventListener('paste', pasted);
  });
  return (
    <Page title={t('scan.title')} side={<a className="link" href={href('/code')}>{t('actions.code')}</a>}>
      <Scanner onText={(code) => void read(code)} />
      <div aria-live="assertive">{wrong ? <Notice tone="bad" icon="warn" title={wrong.title}><p>{wrong.text}</p></Notice> : null}</div>
      <div className="stack">
        <input ref={file} type="file" accept="image/*" hidden onChange={(event) => { void look(event.target.files?.[0]); event.target.value = ''; }} />
        <Act fill="outline" act={async () => file.current?.click()}><Icon name="camera" size={18} /> {t('scan.picture')}</Act>
        <small className="hint">{t('scan.picture_hint')}</small>
      </div>
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <Field label={t('scan.paste')} value={text} onChange={setText} hint={t('scan.paste_hint')} maxLength={600} autoComplete="off" />
        <Act type="submit" fill="outline" disabled={text.trim() === ''} act={() => read(text)}>{t('scan.read')}</Act>
      </form>
    </Page>
  );
}
