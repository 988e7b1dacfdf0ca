import 'antd-mobile/es/global';
import '../shared/theme.css';
import './wallet.css';
import { createRoot } from 'react-dom/client';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { startWords } from '../shared/i18n';
import { Said } from '../shared/say';
import { readSession } from '../shared/session';
import { startLook } from '../shared/theme';
import { App } from './App';

const words = {
  en: () => import('./locales/en'),
  fr: () => import('./locales/fr'),
  zh: () => import('./locales/zh'),
};

startLook();
void readSession();
await startWords(words);
createRoot(document.getElementById('root') as HTMLElement).render(
  <ErrorBoundary>
    <App />
    <Said />
  </ErrorBoundary>,
);

if (import.meta.env.PROD && 'serviceWorker' in navigator) navigator.serviceWorker.register('/sw.js').catch(() => undefined);
