/** Pictures in our own SVG: no library, readable in both looks, and always with the exact numbers beside them. */

export function Line({ values, label, height = 72 }: { values: readonly number[]; label: string; height?: number }) {
  const width = 320;
  const top = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)} ${(height - 4 - (value / top) * (height - 12)).toFixed(1)}`);
  return (
    <svg className="picture" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {values.length > 1 ? (
        <>
          <path d={`M0 ${height}L${points.join('L')}L${width} ${height}Z`} fill="var(--clay)" opacity="0.14" />
          <path d={`M${points.join('L')}`} fill="none" stroke="var(--clay)" strokeWidth="2.2" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
        </>
      ) : <path d={`M0 ${height - 4}H${width}`} stroke="var(--line)" strokeWidth="2" />}
    </svg>
  );
}

export function Bars({ items, label }: { items: readonly (readonly [string, number])[]; label: string }) {
  const top = Math.max(1, ...items.map(([, value]) => value));
  return (
    <ul className="bars" aria-label={label}>
      {items.map(([name, value]) => <li key={name}><span>{name}</span><i style={{ width: `${(100 * value) / top}%` }} aria-hidden="true" /><b>{value.toLocaleString()}</b></li>)}
    </ul>
  );
}

/** Accounts between which money went round. */
export function Ring({ names, label }: { names: readonly string[]; label: string }) {
  const [middle, radius] = [150, 96];
  const at = (index: number) => {
    const angle = (2 * Math.PI * index) / names.length - Math.PI / 2;
    return [middle + radius * Math.cos(angle), middle + radius * Math.sin(angle)] as const;
  };
  return (
    <svg className="ring-picture" viewBox="0 0 300 300" role="img" aria-label={label}>
      <defs><marker id="arrow" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="var(--clay)" /></marker></defs>
      {names.map((_, index) => {
        const [x, y] = at(index);
        const [nx, ny] = at((index + 1) % names.length);
        const [dx, dy] = [nx - x, ny - y];
        const length = Math.hypot(dx, dy) || 1;
        return <path key={index} d={`M${x + (dx / length) * 24} ${y + (dy / length) * 24}L${nx - (dx / length) * 28} ${ny - (dy / length) * 28}`} stroke="var(--clay)" strokeWidth="2.5" markerEnd="url(#arrow)" />;
      })}
      {names.map((name, index) => {
        const [x, y] = at(index);
        return (
          <g key={index}>
            <circle cx={x} cy={y} r="21" fill="var(--straw-soft)" stroke="var(--straw)" strokeWidth="2" />
            <text x={x} y={y + 4} textAnchor="middle" fontSize="12" fontWeight="700" fill="var(--straw-ink)">{[...name].slice(0, 2).join('')}</text>
            <text x={x} y={y < middle ? y - 28 : y + 38} textAnchor="middle" fontSize="12" fill="var(--ink)">{name}</text>
          </g>
        );
      })}
    </svg>
  );
}

interface Day {
  owed: number;
  there: number;
  good: boolean;
}

/** Two sums over days: what is owed as an area, what is there as a line above it; days on which it was not are marked. */
export function Days({ days, label, from, to }: { days: readonly Day[]; label: string; from: string; to: string }) {
  const [width, height] = [640, 150];
  const top = Math.max(1, ...days.map((one) => Math.max(one.owed, one.there)));
  const x = (at: number) => (days.length > 1 ? 6 + (at * (width - 12)) / (days.length - 1) : width / 2);
  const y = (value: number) => height - 8 - (Math.max(value, 0) / top) * (height - 24);
  const path = (of: (one: Day) => number) => days.map((one, at) => `${x(at).toFixed(1)} ${y(of(one)).toFixed(1)}`).join('L');
  return (
    <figure className="op-days-picture">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {days.length > 1 ? (
          <>
            <path d={`M${x(0)} ${height}L${path((one) => one.owed)}L${x(days.length - 1)} ${height}Z`} fill="var(--clay)" opacity="0.28" />
            <path d={`M${path((one) => one.owed)}`} fill="none" stroke="var(--clay)" strokeWidth="2" vectorEffect="non-scaling-stroke" />
            <path d={`M${path((one) => one.there)}`} fill="none" stroke="var(--moss)" strokeWidth="2.6" strokeDasharray="7 4" vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
          </>
        ) : days.map((one, at) => <g key={at}><path d={`M${x(at) - 60} ${height}V${y(one.owed)}H${x(at) - 8}V${height}Z`} fill="var(--clay)" /><path d={`M${x(at) + 8} ${height}V${y(one.there)}H${x(at) + 60}V${height}Z`} fill="var(--moss)" /></g>)}
        {days.map((one, at) => (one.good ? null : <path key={at} d={`M${x(at)} 4V${height}`} stroke="var(--berry)" strokeWidth="2.5" vectorEffect="non-scaling-stroke" />))}
      </svg>
      <figcaption aria-hidden="true"><span>{from}</span>{days.length > 1 ? <span>{to}</span> : null}</figcaption>
    </figure>
  );
}
