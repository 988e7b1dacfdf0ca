/** Money is an integer of minor units everywhere; these turn it into words and back, exactly (no binary fractions). */

const TWO =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CYP CZK ' +
  'DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL GHC GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR ' +
  'LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRO MRU MTL MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB ' +
  'SAR SBD SCR SDG SEK SGD SHP SIT SKK SLE SLL SOS SRD SSP STD STN SVC SYP SZL THB TJS TMM TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VEF VES WST ' +
  'XAD XCD XCG YER ZAR ZMK ZMW ZWG ZWL';

const EXPONENTS: Record<string, number> = {};
for (const code of TWO.split(' ')) EXPONENTS[code] = 2;
for (const code of 'BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX'.split(' ')) EXPONENTS[code] = 0;
for (const code of 'BHD IQD JOD KWD LYD OMR TND'.split(' ')) EXPONENTS[code] = 3;
for (const code of 'CLF UYW'.split(' ')) EXPONENTS[code] = 4;

/** Digits after the point, by ISO 4217 (browsers' tables differ for some); none for an asset of somebody's own. */
export const exponentOf = (asset: string): number => EXPONENTS[asset] ?? 0;

/** "1234" minor units of EUR as the decimal text "12.34"; exact at any size. */
export function decimalOf(minor: number | bigint, asset: string): string {
  const places = exponentOf(asset);
  const whole = BigInt(minor);
  const digits = (whole < 0n ? -whole : whole).toString().padStart(places + 1, '0');
  const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return whole < 0n ? `-${text}` : text;
}

/** Intl knows currencies of three letters only: an asset of somebody's own is set as this one, under its own name. */
const STAND_IN = 'XTS';
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(asset: string, language: string, bare: boolean, sign: boolean): Intl.NumberFormat {
  const name = [asset, language, bare, sign].join();
  let format = formats.get(name);
  if (!format) {
    const places = exponentOf(asset);
    format = new Intl.NumberFormat(language, {
      ...(bare ? {} : { style: 'currency', currency: asset in EXPONENTS ? asset : STAND_IN, currencyDisplay: 'narrowSymbol' }),
      minimumFractionDigits: places,
      maximumFractionDigits: places,
      signDisplay: sign ? 'exceptZero' : 'auto',
    });
    formats.set(name, format);
  }
  return format;
}

interface Form {
  /** Without the currency's sign. */
  bare?: boolean;
  /** With + before what comes in. */
  sign?: boolean;
}

export function formatMoney(minor: number | bigint, asset: string, language: string, form: Form = {}): string {
  return moneyParts(minor, asset, language, form).map((part) => part.value).join('');
}

/** The parts, so that a page may set the fraction smaller. */
export function moneyParts(minor: number | bigint, asset: string, language: string, form: Form = {}): Intl.NumberFormatPart[] {
  const text = decimalOf(minor, asset) as `${number}`;
  const parts = formatOf(asset, language, form.bare ?? false, form.sign ?? false).formatToParts(text as unknown as number);
  return asset in EXPONENTS ? parts : parts.map((part) => (part.type === 'currency' ? { ...part, value: asset } : part));
}

export function separatorsOf(language: string): { decimal: string; group: string } {
  const parts = new Intl.NumberFormat(language).formatToParts(12345.6);
  const of = (type: string, or: string) => parts.find((part) => part.type === type)?.value ?? or;
  return { decimal: of('decimal', '.'), group: of('group', ',') };
}

/**
 * What a person typed, as minor units; null when it isn't an amount of this currency. Takes the language's own
 * separators, spaces, full-width digits, and a point or comma as decimal sign where it can't mean grouping.
 */
export function parseMoney(typed: string, asset: string, language: string): number | null {
  const { decimal } = separatorsOf(language);
  const places = exponentOf(asset);
  let text = typed.normalize('NFKC').replace(/[\s'’\u00a0\u202f]/g, '');
  if (!/^[0-9.,]+$/.test(text)) return null;
  const other = decimal === ',' ? '.' : ',';
  if (text.includes(decimal)) {
    const cut = text.indexOf(decimal);
    if (text.indexOf(decimal, cut + 1) >= 0) return null;
    const whole = text.slice(0, cut);
    if (text.slice(cut).includes(other)) return null;
    if (whole.includes(other) && !grouped(whole, other)) return null;
    text = `${whole.replaceAll(other, '')}.${text.slice(cut + 1)}`;
  } else if (text.includes(other)) {
    if (grouped(text, other)) text = text.replaceAll(other, '');
    else if (text.split(other).length === 2) text = text.replace(other, '.');
    else return null;
  }
  const [whole = '', fraction = ''] = text.split('.');
  if (fraction.length > places || (whole === '' && fraction === '')) return null;
  const minor = BigInt((whole || '0') + fraction.padEnd(places, '0'));
  return minor <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(minor) : null;
}

const grouped = (text: string, sign: string): boolean => new RegExp(`^[0-9]{1,3}(\\${sign}[0-9]{3})+$`).test(text);

/** Currencies that a new account may choose from; any ISO 4217 code works, these are offered first. */
export const COMMON_ASSETS = ['EUR', 'USD', 'GBP', 'CHF', 'CNY', 'HKD', 'JPY', 'SGD', 'CZK', 'PLN', 'SEK', 'NOK', 'DKK', 'CAD', 'AUD', 'PHP', 'INR', 'KRW', 'BRL', 'TND'] as const;

/** The name of a currency in a language: "euro". */
export function assetName(asset: string, language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: 'currency' }).of(asset) ?? asset;
  } catch {
    return asset;
  }
}
