import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Table from 'antd/es/table';
import { useState } from 'react';
import { asProblem, tell } from '../../shared/api';
import { problemText, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { useAsk } from '../../shared/useAsk';
import type { SqlAnswer } from '../answers';
import { csvOf } from '../csv';
import { Act, Card, Page } from '../parts/ui';

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['sql.by_code', 'SELECT code, asset, count(*) AS accounts, sum(credits_posted - debits_posted) AS balance_minor\nFROM accounts GROUP BY code, asset ORDER BY code, asset'],
  ['sql.newest', 'SELECT id, amount_minor, asset, code, time_ns FROM transfers ORDER BY time_ns DESC LIMIT 50'],
  ['sql.trial', 'SELECT asset, sum(debits_posted) AS debits, sum(credits_posted) AS credits\nFROM accounts GROUP BY asset ORDER BY asset'],
];

function save(text: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Questions to the ledger in SQL, read-only, as of one entry. */
export function Sql() {
  const { t, number, date } = useWords();
  const tables = useAsk<{ tables: Record<string, string[]> }>('/v1/operator/tables');
  const [sql, setSql] = useState(EXAMPLES[0]?.[1] ?? '');
  const [told, setTold] = useState<SqlAnswer>();
  const [wrong, setWrong] = useState('');
  const run = async () => {
    setWrong('');
    try {
      setTold(await tell<SqlAnswer>('/v1/operator/sql', { sql }));
    } catch (error) {
      const problem = asProblem(error);
      setWrong(problem.detail || problemText(problem));
    }
  };
  return (
    <Page title={t('nav.sql')} text={t('sql.text')}>
      <div className="op-sql">
        <div className="op-stack">
          <Card>
            <div className="op-stack">
              <Input.TextArea className="op-code" aria-label={t('sql.question')} spellCheck={false} autoSize={{ minRows: 5, maxRows: 18 }} value={sql} onChange={(event) => setSql(event.target.value)} onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); void run(); } }} />
              <span className="op-acts"><Act type="primary" disabled={!sql.trim()} act={run}>{t('sql.run')}</Act><small className="quiet op-keys">Ctrl + Enter</small>{EXAMPLES.map(([name, text]) => <Button key={name} size="small" type="text" onClick={() => setSql(text)}>{t(name)}</Button>)}</span>
              {wrong ? <p className="op-wrong" role="alert">{wrong}</p> : null}
            </div>
          </Card>
          {told ? (
            <Card title={t('sql.rows', { count: told.rows.length, shown: number(told.rows.length) })} side={<Button size="small" icon={<Icon name="download" size={16} />} onClick={() => save(csvOf(told), `ledger-${told.entry}.csv`)}>CSV</Button>}>
              <p className="quiet">{t('sql.as_of', { entry: number(told.entry), date: date(told.time), ms: number(told.milliseconds) })}{told.more ? ` · ${t('sql.more')}` : ''}</p>
              <Table
                className="op-table op-cells"
                size="small"
                aria-label={t('sql.answer')}
                scroll={{ x: 'max-content' }}
                pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
                rowKey="key"
                dataSource={told.rows.map((row, key) => ({ key, row }))}
                columns={told.columns.map((name, at) => ({ title: name, key: String(at), align: typeof told.rows[0]?.[at] === 'number' ? ('right' as const) : undefined, render: (_: unknown, { row }: { row: SqlAnswer['rows'][number] }) => (row[at] === null ? <span className="quiet">NULL</span> : <code>{String(row[at])}</code>) }))}
              />
            </Card>
          ) : null}
        </div>
        <Card title={t('sql.tables')}>
          <ul className="op-tables">
            {Object.entries(tables.data?.tables ?? {}).map(([name, columns]) => (
              <li key={name}>
                <details><summary><code>{name}</code></summary><p>{columns.map((column) => <code key={column}>{column}</code>)}</p><span className="op-acts"><a href={`/v1/operator/export?table=${encodeURIComponent(name)}&format=csv`}>CSV</a><a href={`/v1/operator/export?table=${encodeURIComponent(name)}&format=parquet`}>Parquet</a><Button size="small" type="link" onClick={() => setSql(`SELECT * FROM ${name} LIMIT 100`)}>SELECT</Button></span></details>
              </li>
            ))}
          </ul>
        </Card>
      </div>
    </Page>
  );
}
