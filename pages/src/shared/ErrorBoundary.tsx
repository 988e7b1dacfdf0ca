import { Component, type ReactNode } from 'react';
import { t } from './i18n';
import { Mark } from './icons';

/** Shows a way out when a page of ours breaks (or a new version took the old files away). */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken?: Error }> {
  override state: { broken?: Error } = {};

  static getDerivedStateFromError(broken: Error) {
    return { broken };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="broken" role="alert">
        <Mark size={56} />
        <h1>{t('broken.title')}</h1>
        <p>{t('broken.text')}</p>
        <button type="button" className="button" onClick={() => location.reload()}>{t('broken.again')}</button>
      </main>
    );
  }
}
