import type { ReactNode } from 'react';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';

export interface Stop {
  key: string | number;
  title: ReactNode;
  text?: ReactNode;
  state: 'done' | 'now' | 'later' | 'bad';
  end?: ReactNode;
}

/** Where something stands on its way: what is done, what is happening, what comes. */
export function Track({ label, stops }: { label: string; stops: readonly Stop[] }) {
  const { t } = useWords();
  return (
    <ol className="track" aria-label={label}>
      {stops.map((stop) => (
        <li key={stop.key} data-state={stop.state} aria-current={stop.state === 'now' ? 'step' : undefined}>
          <span className="track-dot" aria-hidden="true">{stop.state === 'done' ? <Icon name="check" size={15} /> : stop.state === 'bad' ? <Icon name="close" size={15} /> : null}</span>
          <span className="track-words"><strong>{stop.title}<span className="visually-hidden"> ({t(`track.${stop.state}`)})</span></strong>{stop.text ? <span>{stop.text}</span> : null}</span>
          {stop.end}
        </li>
      ))}
    </ol>
  );
}

export interface Slice {
  name: string;
  minor: number;
  tone: 'moss' | 'straw' | 'clay';
}

/** Who has how much of an amount, as a bar and in words. */
export function Slices({ slices, asset }: { slices: readonly Slice[]; asset: string }) {
  const { money } = useWords();
  const shown = slices.filter((slice) => slice.minor > 0);
  return (
    <div className="slices">
      <div className="slices-bar" aria-hidden="true">{shown.map((slice) => <span key={slice.name} data-tone={slice.tone} style={{ flexGrow: slice.minor }} />)}</div>
      <ul className="legend">{shown.map((slice) => <li key={slice.name}><span className="dot" data-tone={slice.tone} aria-hidden="true" /><span>{slice.name}</span><strong>{money(slice.minor, asset)}</strong></li>)}</ul>
    </div>
  );
}
