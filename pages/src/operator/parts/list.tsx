import Button from 'antd/es/button';
import Table, { type TableProps } from 'antd/es/table';
import { useEffect, useRef, useState } from 'react';
import { type Page as PageOf, ask } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { sayProblem } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { Wrong } from './ui';

/** A list with a cursor, as far as it was read, and a table of it. */
export function useList<T>(path: string | null, params: Record<string, string | number | undefined> = {}, everyS?: number) {
  const first = useAsk<PageOf<T>>(path, { limit: 30, ...params }, { everyS });
  const [more, setMore] = useState<PageOf<T>>();
  useEffect(() => setMore(undefined), [first.data]);
  const next = more ? more.next : first.data?.next;
  const load = async () => {
    try {
      const page = await ask<PageOf<T>>(path ?? '', { limit: 30, ...params, after: next });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      sayProblem(error);
    }
  };
  return { ...first, items: [...(first.data?.items ?? []), ...(more?.items ?? [])], next, load };
}

/** A wide table scrolls in a box of its own: by keyboard too, also when nothing in it can have the focus. */
export function useScrolledByKeys() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => { box.current?.querySelector('.ant-table-content')?.setAttribute('tabindex', '0'); });
  return box;
}

export function List<T extends object>({ of, columns, rowKey, onRow, label }: { of: ReturnType<typeof useList<T>>; columns: TableProps<T>['columns']; rowKey: (keyof T & string) | ((row: T) => string); onRow?: (row: T) => void; label: string }) {
  const { t } = useWords();
  const box = useScrolledByKeys();
  if (of.problem && !of.data) return <Wrong problem={of.problem} again={of.again} />;
  return (
    <div ref={box} className="op-list">
      <Table<T>
        aria-label={label}
        className="op-table"
        columns={columns}
        dataSource={of.items}
        rowKey={rowKey}
        loading={of.loading && !of.data}
        pagination={false}
        scroll={{ x: 'max-content' }}
        size="middle"
        onRow={onRow ? (row) => ({ onClick: () => onRow(row), onKeyDown: (event) => { if (event.key === 'Enter') onRow(row); }, tabIndex: 0, className: 'op-clickable' }) : undefined}
      />
      {of.next ? <Button onClick={() => void of.load()}>{t('common.more')}</Button> : null}
    </div>
  );
}
