import { hasWords, useWords } from '../../shared/i18n';
import type { AuditItem } from '../answers';
import { List, useList } from '../parts/list';
import { Page, Who } from '../parts/ui';

/** What operators did, newest first; nothing of it can be taken away. */
export function Audit() {
  const { t, date } = useWords();
  const list = useList<AuditItem>('/v1/wallet/audit', {}, 20);
  return (
    <Page title={t('nav.audit')} text={t('audit.text')}>
      <List<AuditItem>
        of={list}
        label={t('nav.audit')}
        rowKey="number"
        columns={[
          { title: '№', dataIndex: 'number', key: 'number' },
          { title: t('audit.when'), key: 'at', render: (_, row) => date(row.at) },
          { title: t('audit.who'), key: 'who', render: (_, row) => (row.actor ? <Who party={row.actor} /> : t('audit.machine')) },
          { title: t('audit.what'), key: 'what', render: (_, row) => <strong>{hasWords(`acts.${row.action}`) ? t(`acts.${row.action}`) : row.action.replaceAll('_', ' ')}</strong> },
          { title: t('audit.whom'), key: 'whom', render: (_, row) => (row.subject.length === 32 ? <a href={`#/person/${row.subject}`}><code>{row.subject.slice(0, 8)}…</code></a> : row.subject || '—') },
          { title: t('audit.detail'), key: 'detail', render: (_, row) => <code className="op-wrap">{row.detail}</code> },
        ]}
      />
    </Page>
  );
}
