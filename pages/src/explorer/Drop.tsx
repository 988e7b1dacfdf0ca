import { type ReactNode, useId, useState } from 'react';
import { useWords } from '../shared/i18n';
import { Icon } from '../shared/icons';
import type { Bytes } from './proof/bytes';
import { utf8 } from './proof/bytes';

/** A place to drop a file on, to choose one, or to paste text into. Nothing of it leaves the browser. */
export function Drop({ title, text, onBytes, children }: { title: string; text: string; onBytes: (bytes: Bytes, name: string) => void; children?: ReactNode }) {
  const { t } = useWords();
  const id = useId();
  const [over, setOver] = useState(false);
  const take = async (file: File | undefined) => {
    if (file) onBytes(new Uint8Array(await file.arrayBuffer()), file.name);
  };
  return (
    <div
      className="drop"
      data-over={over}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); void take(event.dataTransfer.files[0]); }}
      onPaste={(event) => {
        const file = event.clipboardData.files[0];
        if (file) void take(file);
        else onBytes(utf8(event.clipboardData.getData('text').trimStart()), '');
        event.preventDefault();
      }}
    >
      <Icon name="receipt" size={40} />
      <strong>{title}</strong>
      <p>{text}</p>
      <label className="drop-choose" htmlFor={id}>{t('drop.choose')}</label>
      <input id={id} type="file" className="visually-hidden" accept=".json,.txt,.bin,application/json" onChange={(event) => { void take(event.target.files?.[0]); event.target.value = ''; }} />
      <small>{t('drop.paste')}</small>
      {children}
    </div>
  );
}
