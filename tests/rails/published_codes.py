"""Codes of other schemes: EMVCo's own example, and samples put together as each scheme's specification shows them.

Nobody real is paid by them: names and numbers are the specifications' own, or made up.
"""

from __future__ import annotations

from typing import Final

from formicary.rails.emvco import sign, write_objects

EMVCO: Final = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT"
    "6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME9132"
    "0016A0112233449988770708123456786304A13A"
)
"""The whole example of the standard, with its checksum as printed."""


def sample(*objects: tuple[str, str]) -> str:
    """A code of these objects, with its checksum."""
    return sign(write_objects(objects))


def inside(*objects: tuple[str, str]) -> str:
    """A template."""
    return write_objects(objects)


PROMPTPAY: Final = "00020101021129370016A000000677010111011300660000000005802TH530376463048956"
"""As the encoder of many Thai shops writes it for the number 000-000-0000 without an amount."""
PIX: Final = sample(
    ("00", "01"),
    ("26", inside(("00", "br.gov.bcb.pix"), ("01", "123e4567-e12b-12d1-a456-426655440000"))),
    ("52", "0000"),
    ("53", "986"),
    ("58", "BR"),
    ("59", "Fulano de Tal"),
    ("60", "BRASILIA"),
    ("62", inside(("05", "***"))),
)
PIX_PRINTED: Final = (
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal"
    "6008BRASILIA62070503***63041D3D"
)
"""The example of the Banco Central's manual of the BR Code, with its checksum as printed."""
PAYNOW: Final = sample(
    ("00", "01"),
    ("01", "12"),
    ("26", inside(("00", "SG.PAYNOW"), ("01", "2"), ("02", "201403121W"), ("03", "1"), ("04", "20301231"))),
    ("52", "0000"),
    ("53", "702"),
    ("54", "25.00"),
    ("58", "SG"),
    ("59", "ACME Pte Ltd."),
    ("60", "Singapore"),
)
SGQR: Final = (
    "00020101021126810011SG.COM.NETS01231198500065G9912312359000211111686614000308686614019908604108C251800007SG.SGQR"
    "01121809072DD85C020701.00010306079027040201050206060400000708201809155204581253037025802SG5912SOBA EXPRESS"
    "6009Singapore630457B3"
)
"""As shown to the public when SGQR began, in September 2018."""
VIETQR: Final = sample(
    ("00", "01"),
    ("01", "12"),
    (
        "38",
        inside(("00", "A000000727"), ("01", inside(("00", "970403"), ("01", "0011012345678"))), ("02", "QRIBFTTA")),
    ),
    ("53", "704"),
    ("54", "180000"),
    ("58", "VN"),
    ("62", inside(("08", "thanh toan don hang"))),
)
FPS: Final = (
    "00020101021226330012hk.com.hkicl0313+852-6789123452040000530334454031005802HK5914company_1_data6002HK62170513"
    "INV/TEST/00016304A154"
)
"""As Odoo's own tests have it."""
BHARAT: Final = (
    "000201010212021643926300000000850415540461000000008061661005900000000890827YESB0CMSNOC222333004882700126430010"
    "A0000005240117razorpaybqr@icici02041.1027350010A0000005240117RZPGT8ildsFTgS5Sp52047531530335654041.105802IN5906"
    "zxcbmn6005Delhi610611008562300514GT8ildsFTgS5Sp070838R004506304B6A9"
)
"""A payment provider's documented example."""
DUITNOW: Final = sample(
    ("00", "02"),
    ("01", "11"),
    ("26", inside(("00", "A0000006150001"), ("01", "890053"), ("02", "1102928373325"))),
    ("52", "0000"),
    ("53", "458"),
    ("58", "MY"),
    ("59", "JAMES ON LAM"),
    ("60", "MY"),
)
QRIS: Final = sample(
    ("00", "01"),
    ("01", "11"),
    ("51", inside(("00", "ID.CO.QRIS.WWW"), ("02", "ID1023456789012"), ("03", "UMI"))),
    ("52", "5812"),
    ("53", "360"),
    ("58", "ID"),
    ("59", "Kopi Lumi"),
    ("60", "Jakarta"),
)
KHQR: Final = sample(
    ("00", "01"),
    ("01", "11"),
    (
        "29",
        inside(
            ("00", "shop_name@abaa"),
        ),
    ),
    ("52", "5999"),
    ("53", "116"),
    ("58", "KH"),
    ("59", "Shop"),
    ("60", "Phnom Penh"),
)
UNIONPAY: Final = sample(
    ("00", "01"), ("15", "3125000344000203441000000000000"), ("52", "4597"), ("53", "344"), ("58", "HK"),
    ("59", "Test"), ("60", "HK"),
)  # fmt: skip

SCHEMES: Final = {
    "promptpay": PROMPTPAY,
    "pix": PIX,
    "paynow": PAYNOW,
    "sgqr": SGQR,
    "vietqr": VIETQR,
    "fps": FPS,
    "bharat": BHARAT,
    "duitnow": DUITNOW,
    "qris": QRIS,
    "khqr": KHQR,
    "unionpay": UNIONPAY,
}
OTHERS: Final = {
    "upi": "upi://pay?pa=shop@icici&pn=Shop&am=100&cu=INR",
    "swiss_qr": "SPC\r\n0200\r\n1\r\nCH4431999123000889012",
    "epc": "BCD\n002\n1\nSCT\n\nRed Cross\nDE89370400440532013000\nEUR1",
    "alipay": "https://qr.alipay.com/fkx0000000000000000000",
    "wechat": "wxp://f2f0AbCdEf",
    "spayd": "SPD*1.0*ACC:CZ5855000000001265098001*AM:480.50*CC:CZK",
    "bitcoin": "bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W",
    "emv_payer": "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MQ==",
}
"""Texts of schemes that are no EMV merchant codes."""
