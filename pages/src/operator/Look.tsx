import ConfigProvider from 'antd/es/config-provider';
import en from 'antd/es/locale/en_GB';
import fr from 'antd/es/locale/fr_FR';
import zh from 'antd/es/locale/zh_CN';
import theme from 'antd/es/theme';
import type { ReactNode } from 'react';
import { useWords } from '../shared/i18n';
import { antdTheme, useDark } from '../shared/theme';

const LOCALES = { en, fr, zh };

/** antd in our colours, words and darkness; operator console and explorer stand in it. */
export function Look({ children }: { children: ReactNode }) {
  const dark = useDark();
  const { language } = useWords();
  return (
    <ConfigProvider locale={LOCALES[language]} theme={{ ...antdTheme(dark), algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm }} button={{ autoInsertSpace: false }}>
      {children}
    </ConfigProvider>
  );
}
