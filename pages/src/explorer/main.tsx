import '../shared/theme.css';
import { createRoot } from 'react-dom/client';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { startWords } from '../shared/i18n';
import { Said } from '../shared/say';
import { startLook } from '../shared/theme';

const words = {
  en: () => import('./locales/en'),
  fr: () => import('./locales/fr'),
  zh: () => import('./locales/zh'),
};

startLook();
await startWords(words);
createRoot(document.getElementById('root') as HTMLElement).render(
  <ErrorBoundary>
    <main>explorer</main>
    <Said />
  </ErrorBoundary>,
);
