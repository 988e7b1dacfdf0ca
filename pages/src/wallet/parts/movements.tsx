import type { Activity } from '../../shared/answers';
import { useWords } from '../../shared/i18n';
import type { IconName } from '../../shared/icons';
import { Amount, Avatar, Row, Tag, nameOf } from '../ui';

export const KIND_ICONS: Record<string, IconName> = {
  top_up: 'topUp', withdrawal: 'withdraw', packet: 'packet', packet_opened: 'packet', packet_back: 'packet', order: 'repeat', escrow: 'box', escrow_out: 'box', escrow_back: 'box', fee: 'receipt', refund: 'back',
};
export const stateTone = (state: string): 'plain' | 'good' | 'bad' | 'warn' =>
  state === 'held' || state === 'under_way' ? 'warn' : state === 'failed' ? 'bad' : 'plain';

/** One payment in a list. */
export function Movement({ item }: { item: Activity }) {
  const { t, moment } = useWords();
  const icon = KIND_ICONS[item.kind];
  const known = icon && (item.kind === 'top_up' || item.kind === 'withdrawal' || item.kind === 'fee');
  const title = known || !item.other?.id ? t(`kinds.${item.kind}`) : nameOf(item.other, t('common.unknown_person'));
  const undone = ['returned', 'refunded', 'failed', 'cancelled'].includes(item.state);
  return (
    <Row
      to={`/payment/${item.payment}`}
      lead={<Avatar party={item.other} icon={known ? icon : undefined} />}
      title={title}
      text={<>{item.note ? `${item.note} · ` : title === t(`kinds.${item.kind}`) ? '' : `${t(`kinds.${item.kind}`)} · `}{moment(item.at)}</>}
      end={<span className="row-money" data-in={item.direction === 'in'} data-undone={undone}><Amount minor={item.direction === 'in' ? item.amount_minor : -item.amount_minor} asset={item.asset} sign />{item.state !== 'paid' ? <Tag tone={stateTone(item.state)}>{t(item.kind === 'escrow' && item.state === 'held' ? 'states.between' : `states.${item.state}`)}</Tag> : null}</span>}
    />
  );
}
