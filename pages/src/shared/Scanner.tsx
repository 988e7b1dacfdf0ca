import { useEffect, useRef, useState } from 'react';
import { useWords } from './i18n';
import { Icon } from './icons';

/** The text of the QR code in a picture; null when none is found there. Decoded on the spot, nothing is sent anywhere. */
export async function readPicture(picture: Blob): Promise<string | null> {
  const { default: QrScanner } = await import('qr-scanner');
  try {
    return (await QrScanner.scanImage(picture, { returnDetailedScanResult: true })).data;
  } catch {
    return null;
  }
}

/**
 * Reads QR codes with the camera; everything is decoded on the phone. Says so when there is no camera or no leave to
 * use it: give the person a field to paste a code's text beside it.
 */
export function Scanner({ onText }: { onText: (text: string) => void }) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const told = useRef(onText);
  told.current = onText;
  const [state, setState] = useState<'opening' | 'open' | 'none' | 'refused'>('opening');
  const [light, setLight] = useState<(() => Promise<void>) | undefined>();
  useEffect(() => {
    let over = false;
    let stop: (() => void) | undefined;
    void (async () => {
      const { default: QrScanner } = await import('qr-scanner');
      if (over || !video.current) return;
      if (!navigator.mediaDevices) return setState('none');
      let last = '';
      const scanner = new QrScanner(video.current, ({ data }) => {
        if (data === last) return;
        last = data;
        navigator.vibrate?.(40);
        told.current(data);
      }, { preferredCamera: 'environment', maxScansPerSecond: 8, returnDetailedScanResult: true });
      stop = () => scanner.destroy();
      try {
        await scanner.start();
        if (over) return;
        setState('open');
        if (await scanner.hasFlash()) setLight(() => () => scanner.toggleFlash());
      } catch (error) {
        if (over) return;
        setState(String(error).includes('not found') ? 'none' : 'refused');
      }
    })();
    return () => {
      over = true;
      stop?.();
    };
  }, []);
  if (state === 'none' || state === 'refused') {
    return (
      <div className="scanner-none" role="status">
        <Icon name="camera" size={32} />
        <p>{t(state === 'none' ? 'scanner.none' : 'scanner.refused')}</p>
      </div>
    );
  }
  return (
    <div className="scanner" aria-label={t('scanner.label')} role="group">
      <video ref={video} muted playsInline />
      <div className="scanner-tools">
        {light && <button type="button" aria-label={t('scanner.light')} onClick={() => void light()}><Icon name="flash" /></button>}
      </div>
      <p className="visually-hidden" role="status">{t(state === 'open' ? 'scanner.open' : 'scanner.opening')}</p>
    </div>
  );
}
