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
