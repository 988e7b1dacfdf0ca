/** An asset's number on the ledger as its code, and how many decimals its minor units have. */

/** ISO 4217: number, code, and decimals where they are not two; written from the ledger's own table. */
const ISO =
  '8ALL 12DZD 32ARS 36AUD 44BSD 48BHD3 50BDT 51AMD 52BBD 60BMD 64BTN 68BOB 72BWP 84BZD 90SBD 96BND 104MMK 108BIF0 116KHR 124CAD 132CVE 136KYD 144LKR ' +
  '152CLP0 156CNY 170COP 174KMF0 188CRC 191HRK 192CUP 196CYP 203CZK 208DKK 214DOP 222SVC 230ETB 232ERN 233EEK 238FKP 242FJD 262DJF0 270GMD 288GHC 292GIP ' +
  '320GTQ 324GNF0 328GYD 332HTG 340HNL 344HKD 348HUF 352ISK0 356INR 360IDR 364IRR 368IQD3 376ILS 388JMD 392JPY0 396XAD 398KZT 400JOD3 404KES 408KPW ' +
  '410KRW0 414KWD3 417KGS 418LAK 422LBP 426LSL 428LVL 430LRD 434LYD3 440LTL 446MOP 454MWK 458MYR 462MVR 470MTL 478MRO 480MUR 484MXN 496MNT 498MDL 504MAD ' +
  '512OMR3 516NAD 524NPR 532XCG 533AWG 548VUV0 554NZD 558NIO 566NGN 578NOK 586PKR 590PAB 598PGK 600PYG0 604PEN 608PHP 634QAR 643RUB 646RWF0 654SHP 678STD ' +
  '682SAR 690SCR 694SLL 702SGD 703SKK 704VND0 705SIT 706SOS 710ZAR 728SSP 748SZL 752SEK 756CHF 760SYP 764THB 776TOP 780TTD 784AED 788TND3 795TMM 800UGX0 ' +
  '807MKD 818EGP 826GBP 834TZS 840USD 858UYU 860UZS 882WST 886YER 894ZMK 901TWD 924ZWG 925SLE 926VED 927UYW4 928VES 929MRU 930STN 931CUC 932ZWL 933BYN ' +
  '934TMT 936GHS 937VEF 938SDG 940UYI0 941RSD 943MZN 944AZN 946RON 947CHE 948CHW 949TRY 950XAF0 951XCD 952XOF0 953XPF0 955XBA0 956XBB0 957XBC0 958XBD0 ' +
  '959XAU0 960XDR0 961XAG0 962XPT0 963XTS0 964XPD0 965XUA0 967ZMW 968SRD 969MGA 970COU 971AFN 972TJS 973AOA 974BYR0 975BGN 976CDF 977BAM 978EUR 979MXV ' +
  '980UAH 981GEL 984BOV 985PLN 986BRL 990CLF4 994XSU0 997USN 999XXX0 ';

const KNOWN = new Map<number, { code: string; decimals: number }>();
for (const row of ISO.trim().split(' ')) {
  const [, number = '', code = '', decimals = '2'] = /^([0-9]+)([A-Z]{3})([0-9]?)$/.exec(row) ?? [];
  KNOWN.set(Number(number), { code, decimals: Number(decimals || '2') });
}

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const OTHERS = 1000;
const OTHER_LAST = OTHERS + 36 + 36 ** 2 + 36 ** 3 + 36 ** 4 + 36 ** 5 + 36 ** 6;

/** The code of an asset: ISO 4217 below 1000, above it a name in bijective base 36, else # and its number. */
export function assetOf(number: number): { code: string; decimals: number } {
  const known = KNOWN.get(number);
  if (known) return known;
  if (number <= OTHERS || number > OTHER_LAST) return { code: `#${number}`, decimals: 0 };
  let rest = number - OTHERS;
  let code = '';
  while (rest > 0) {
    code = LETTERS.charAt((rest - 1) % 36) + code;
    rest = Math.floor((rest - 1) / 36);
  }
  return { code: /[A-Z]/.test(code) ? code : `#${number}`, decimals: 0 };
}

/** Minor units as exact decimal text. */
export function decimalText(minor: bigint, decimals: number): string {
  if (decimals === 0) return minor.toString();
  const digits = minor.toString().padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The number of an ISO 4217 code; zero for anything else. */
export function isoNumberOf(code: string): number {
  for (const [number, known] of KNOWN) if (known.code === code) return number;
  return 0;
}
