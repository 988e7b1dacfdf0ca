import { useWords } from '../../shared/i18n';
import { say } from '../../shared/say';
import { Act, copy } from '../ui';

const QR_CHARS_MAX = 700;

/** A way of this wallet for somebody else: as a QR code, to share or to copy. */
export function ShareLink({ way, alt, text }: { way: string; alt: string; text: string }) {
  const { t } = useWords();
  const link = `${location.origin}/#${way}`;
  const share = async () => {
    if (navigator.share) await navigator.share({ url: link }).catch(() => undefined);
    else if (await copy(link)) say(t('common.copied'), 'good');
  };
  return (
    <div className="my-code card">
      {link.length <= QR_CHARS_MAX ? <div className="qr-plate"><img src={`/v1/qr?text=${encodeURIComponent(link)}`} width="220" height="220" alt={alt} /></div> : null}
      <p className="quiet">{text}</p>
      <Act fill="outline" act={share}>{t('common.share')}</Act>
    </div>
  );
}
