import '../shared/theme.css';
import '../operator/operator.css';
import './explorer.css';
import { createRoot } from 'react-dom/client';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { startWords } from '../shared/i18n';
import { Said } from '../shared/say';
import { startLook } from '../shared/theme';
import { App } from './App';

const words = {
  en: () => import('./locales/en'),
  fr: () => import('./locales/fr'),
  zh: () => import('./locales/zh'),
};

startLook();
await startWords(words);
createRoot(document.getElementById('root') as HTMLElement).render(
  <ErrorBoundary>
    <App />
    <Said />
  </ErrorBoundary>,
);
