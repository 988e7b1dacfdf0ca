"""Which payment scheme a scanned text belongs to, as far as one can tell from the text alone.

For EMV codes it is the accounts' own identifiers that tell; several may stand in one code (SGQR). Other texts are known
by how they begin. Sources: the schemes' published specifications, named in the table.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from formicary.rails.emvco import Account, MerchantCode


class Scheme(NamedTuple):
    """One scheme: a stable short name, and the name that people know."""

    name: str
    title: str


_BY_IDENTIFIER: Final = (
    # (pattern of an account's identifier, scheme); specification or publisher
    (
        re.compile(r"A00000067701011[1-4]", re.IGNORECASE),
        Scheme("promptpay", "PromptPay (Thailand)"),
    ),  # Bank of Thailand
    (re.compile(r"br\.gov\.bcb\.pix", re.IGNORECASE), Scheme("pix", "Pix (Brazil)")),  # Banco Central, Manual BR Code
    (re.compile(r"SG\.PAYNOW", re.IGNORECASE), Scheme("paynow", "PayNow (Singapore)")),  # ABS
    (re.compile(r"SG\.SGQR", re.IGNORECASE), Scheme("sgqr", "SGQR (Singapore)")),  # MAS and IMDA
    (re.compile(r"SG\.COM\.NETS", re.IGNORECASE), Scheme("nets", "NETS (Singapore)")),
    (re.compile(r"A000000727", re.IGNORECASE), Scheme("vietqr", "VietQR (Vietnam)")),  # NAPAS 247
    (re.compile(r"hk\.com\.hkicl", re.IGNORECASE), Scheme("fps", "FPS (Hong Kong)")),  # HKICL, common QR code
    (re.compile(r"A000000524", re.IGNORECASE), Scheme("bharat", "Bharat QR (India)")),  # NPCI
    (re.compile(r"A0000006150001", re.IGNORECASE), Scheme("duitnow", "DuitNow (Malaysia)")),  # PayNet
    (re.compile(r"ID\.CO\.QRIS\.WWW", re.IGNORECASE), Scheme("qris", "QRIS (Indonesia)")),  # Bank Indonesia
    (re.compile(r"(com\.p2pqrpay|ph\.ppmi\..*)", re.IGNORECASE), Scheme("qrph", "QR Ph (Philippines)")),  # BSP, PPMI
    (re.compile(r"[^@]+@[A-Za-z]{2,8}"), Scheme("khqr", "KHQR (Cambodia)")),  # National Bank of Cambodia, Bakong
    (re.compile(r"A005266284662577", re.IGNORECASE), Scheme("laoqr", "LAO QR (Laos)")),  # LAPNet
    (re.compile(r"jp\.or\.paymentsjapan", re.IGNORECASE), Scheme("jpqr", "JPQR (Japan)")),  # Payments Japan
    (re.compile(r"au\.com\.nppa(\..*)?", re.IGNORECASE), Scheme("npp", "NPP (Australia)")),
    (re.compile(r"com\.alipay.*", re.IGNORECASE), Scheme("alipay", "Alipay")),
    (re.compile(r"com\.qq\.weixin\.pay", re.IGNORECASE), Scheme("wechat", "WeChat Pay")),
)
_CARDS: Final = (
    (range(2, 4), Scheme("visa", "Visa")),
    (range(4, 6), Scheme("mastercard", "Mastercard")),
    (range(6, 9), Scheme("bharat", "Bharat QR (India)")),  # RuPay and bank accounts by IFSC
    (range(9, 11), Scheme("discover", "Discover")),
    (range(11, 13), Scheme("amex", "American Express")),
    (range(13, 15), Scheme("jcb", "JCB")),
    (range(15, 17), Scheme("unionpay", "UnionPay")),
)
"""Ids that EMVCo gave to card schemes."""
_BY_BEGINNING: Final = (
    (re.compile(r"upi://", re.IGNORECASE), Scheme("upi", "UPI (India)")),
    (re.compile(r"SPC\r?\n0200"), Scheme("swiss_qr", "Swiss QR bill")),
    (re.compile(r"BCD\r?\n00[12]"), Scheme("epc", "SEPA credit transfer (EPC QR)")),
    (re.compile(r"https://(qr|render)\.alipay\.com/", re.IGNORECASE), Scheme("alipay", "Alipay")),
    (re.compile(r"28[0-9]{14,22}"), Scheme("alipay", "Alipay")),
    (re.compile(r"(wxp|weixin)://", re.IGNORECASE), Scheme("wechat", "WeChat Pay")),
    (re.compile(r"SPD\*[0-9.]+\*"), Scheme("spayd", "QR Platba (Czechia, Slovakia)")),
    (re.compile(r"bitcoin:", re.IGNORECASE), Scheme("bitcoin", "Bitcoin")),
    (re.compile(r"(lightning:)?lnbc[0-9a-z]+", re.IGNORECASE), Scheme("lightning", "Lightning")),
    (re.compile(r"ethereum:", re.IGNORECASE), Scheme("ethereum", "Ethereum")),
    (re.compile(r"hQVDUFYwM"), Scheme("emv_payer", "an EMV code of a payer")),  # base64 of 85 05 "CPV01"
)
UNKNOWN: Final = Scheme("unknown", "an unknown scheme")


def schemes_of(code: MerchantCode) -> tuple[Scheme, ...]:
    """The schemes of an EMV code, each once: the network that joins several (SGQR), templates, then cards."""
    ordered = sorted(code.accounts, key=lambda account: not account.parts)
    found = [scheme for account in ordered if (scheme := scheme_of(account)) is not None]
    found.sort(key=lambda scheme: scheme.name != "sgqr")
    return tuple(dict.fromkeys(found)) or (UNKNOWN,)


def scheme_of(account: Account) -> Scheme | None:
    """The scheme of one merchant account; None when nobody here knows it."""
    if account.parts:
        identifier = account.scheme_id
        return next((scheme for pattern, scheme in _BY_IDENTIFIER if pattern.fullmatch(identifier)), None)
    number = int(account.id)
    return next((scheme for ids, scheme in _CARDS if number in ids), None)


def scheme_of_text(text: str) -> Scheme | None:
    """The scheme of a text that is no EMV code, by how it begins; None when nobody here knows it."""
    return next((scheme for pattern, scheme in _BY_BEGINNING if pattern.match(text)), None)
