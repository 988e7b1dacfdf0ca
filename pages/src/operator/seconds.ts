/** Seconds in words: "1 day", "5 min". */
export function secondsText(seconds: number, language: string): string {
  const [unit, size] = seconds >= 86_400 && seconds % 86_400 === 0 ? (['day', 86_400] as const) : seconds >= 3600 && seconds % 3600 === 0 ? (['hour', 3600] as const) : seconds >= 60 && seconds % 60 === 0 ? (['minute', 60] as const) : (['second', 1] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / size);
}
