"""EMV codes: published ones are read, everything written reads back, and nothing broken gets through."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.rails import emvco
from formicary.rails.emvco import Account, Language, MerchantCode, TipAsk, TipFixed, TipPercent, build, parse
from formicary.rails.schemes import UNKNOWN, scheme_of_text, schemes_of

from tests.rails.published_codes import EMVCO, OTHERS, PIX, PIX_PRINTED, SCHEMES, SGQR, inside, sample


def test_the_standards_own_example() -> None:
    """Every field of it, and its checksum as printed."""
    code = parse(EMVCO)
    assert (code.dynamic, code.category, code.currency, code.amount_minor) == (True, "4111", 156, 2372)
    assert (code.tip, code.country, code.name, code.city) == (TipAsk(), "CN", "BEST TRANSPORT", "BEIJING")
    assert code.language == Language("ZH", "最佳运输", "北京")
    assert dict(code.additional) == {"03": "1234", "06": "***", "07": "A6008667", "09": "ME"}
    assert [account.scheme_id for account in code.accounts] == ["D15600000000", "D15600000001"]
    assert emvco.read_objects(code.templates[0][1]) == (("00", "A011223344998877"), ("07", "12345678"))
    assert parse(build(code)) == code
    assert emvco.write_objects(emvco.read_objects(EMVCO)) == EMVCO, "objects keep their order"


def test_pix_has_the_printed_checksum() -> None:
    """Put together from its parts it is the manual's example to the letter."""
    assert PIX == PIX_PRINTED


@pytest.mark.parametrize(("name", "text"), SCHEMES.items(), ids=SCHEMES)
def test_codes_of_other_schemes_are_read_and_named(name: str, text: str) -> None:
    """Each is parsed, is known, and round-trips."""
    code = parse(text)
    assert schemes_of(code)[0].name == name
    assert parse(build(code)) == code


def test_one_code_may_serve_several_schemes() -> None:
    """SGQR lists them all, itself first."""
    assert [scheme.name for scheme in schemes_of(parse(SGQR))] == ["sgqr", "nets"]


@pytest.mark.parametrize(("name", "text"), OTHERS.items(), ids=OTHERS)
def test_other_texts_are_named_too(name: str, text: str) -> None:
    """They are no EMV codes, but known."""
    found = scheme_of_text(text)
    assert found is not None
    assert found.name == name
    with pytest.raises(BadInput, match="000201"):
        parse(text)


def test_nobody_knows_every_scheme() -> None:
    """An account of who knows whom, and a text of nobody."""
    code = parse(
        sample(
            ("00", "01"),
            (
                "26",
                inside(
                    ("00", "org.example"),
                ),
            ),
            ("58", "FR"),
        )
    )
    assert schemes_of(code) == (UNKNOWN,)
    assert scheme_of_text("hello") is None


# ── round trips ─────────────────────────────────────────────────────────────────────────────────────────────────────

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)
PLAIN = st.text(string.ascii_letters + string.digits + " .-", min_size=1, max_size=15)


def objects(ids: st.SearchStrategy[int]) -> st.SearchStrategy[emvco.Objects]:
    """A few objects with different ids, in order."""
    pairs = st.dictionaries(ids, PLAIN, max_size=3)
    return pairs.map(lambda found: tuple((f"{name:02}", value) for name, value in sorted(found.items())))


def accounts() -> st.SearchStrategy[tuple[Account, ...]]:
    """A card's account, a template, or both."""
    cards = st.builds(lambda value: Account("02", value), PLAIN)
    parts = objects(st.integers(1, 99)).map(lambda found: (("00", "org.example"), *found))
    templates = parts.map(lambda found: Account("26", emvco.write_objects(found), found))
    return st.one_of(cards.map(lambda one: (one,)), templates.map(lambda one: (one,)), st.tuples(cards, templates))


def codes() -> st.SearchStrategy[MerchantCode]:
    """Any code that the standard allows."""
    return st.builds(
        MerchantCode,
        dynamic=st.sampled_from([None, True, False]),
        accounts=accounts(),
        category=st.sampled_from(["", "5812"]),
        currency=st.sampled_from([978, 392, 788, 704]),
        amount_minor=st.none() | st.integers(1, 10**9),
        tip=st.none()
        | st.just(TipAsk())
        | st.builds(TipFixed, st.integers(0, 10**6))
        | st.builds(TipPercent, st.integers(1, 9999)),
        country=st.sampled_from(["", "FR", "CN"]),
        name=st.just("") | TEXT.map(lambda text: text[:25]),
        city=st.just("") | TEXT.map(lambda text: text[:15]),
        postcode=st.sampled_from(["", "75001"]),
        additional=objects(st.integers(1, 11)),
        language=st.none() | st.builds(Language, st.just("ZH"), TEXT.map(lambda text: text[:25])),
        reserved=objects(st.integers(65, 79)),
        templates=objects(st.integers(80, 99)),
    )


@given(code=codes())
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_reads_back(code: MerchantCode) -> None:
    """All fields, to the letter; and the second writing is the first."""
    text = build(code)
    assert parse(text) == code
    assert build(parse(text)) == text


@given(code=codes(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_one_altered_character_is_always_noticed(code: MerchantCode, data: st.DataObject) -> None:
    """A checksum of 16 bits sees every altered ASCII character; what breaks the frame is refused by its place."""
    text = build(code)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(string.ascii_uppercase + string.digits))
    assume(other.upper() != text[place].upper() and text[place].isascii())
    with pytest.raises(BadInput):
        parse(text[:place] + other + text[place + 1 :])


@given(code=codes(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_cut_code_is_refused(code: MerchantCode, data: st.DataObject) -> None:
    """At any length."""
    text = build(code)
    with pytest.raises(BadInput):
        parse(text[: data.draw(st.integers(0, len(text) - 1))])


@given(text=st.text(max_size=600) | st.text("0123456789", max_size=600).map(lambda text: "000201" + text))
@settings(max_examples=300, deadline=None)
def test_junk_is_bad_input_and_nothing_else(text: str) -> None:
    """No other exception, whatever comes."""
    assume("6304" not in text)
    with pytest.raises(BadInput):
        parse(text)


# ── what is refused, and where ──────────────────────────────────────────────────────────────────────────────────────

GOOD = sample(
    ("00", "01"),
    (
        "26",
        inside(
            ("00", "org.example"),
        ),
    ),
    ("53", "978"),
    ("54", "12.30"),
    ("58", "FR"),
)


@pytest.mark.parametrize(
    ("text", "code", "where", "words"),
    [
        ("", "bad_input", "character 0", "000201"),
        ("x" * 10_240, "bad_input", "code", "at most 512"),
        (GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), "code_altered", f"character {len(GOOD) - 8}", "altered"),
        (GOOD[:-8], "bad_input", "code", "has to be last"),
        (GOOD[:20], "bad_input", "character 6", "are left"),
        ("000201" + "26xx", "bad_input", "character 6", "two digits"),
        ("000201" + "2600", "bad_input", "character 6", "empty"),
        ("000201" + "000201", "bad_input", "character 6", "twice"),
        (sample(("00", "01"), ("58", "FR")), "bad_input", "code", "merchant account"),
        (sample(("00", "01"), ("26", "xxxx")), "bad_input", "object 26, character 10", "two digits"),
        (sample(("00", "01"), ("26", "0101x")), "bad_input", "object 26", "begins with whose"),
        (sample(("00", "01"), ("01", "13"), ("02", "1")), "bad_input", "object 01", "11 or 12"),
        (sample(("00", "01"), ("02", "1"), ("53", "EUR")), "bad_input", "object 53", "three digits"),
        (sample(("00", "01"), ("02", "1"), ("53", "000")), "bad_input", "object 53", "ISO 4217"),
        (sample(("00", "01"), ("02", "1"), ("54", "1.00")), "bad_input", "object 54", "needs a currency"),
        (sample(("00", "01"), ("02", "1"), ("53", "978"), ("54", "1,00")), "bad_input", "object 54", "not an amount"),
        (sample(("00", "01"), ("02", "1"), ("53", "392"), ("54", "1.50")), "bad_input", "object 54", "decimals"),
        (sample(("00", "01"), ("02", "1"), ("55", "04")), "bad_input", "object 55", "01, 02"),
        (sample(("00", "01"), ("02", "1"), ("53", "978"), ("55", "02")), "bad_input", "object 55", "needs the fee"),
        (sample(("00", "01"), ("02", "1"), ("55", "03"), ("57", "00.00")), "bad_input", "object 57", "00.01"),
        (sample(("00", "01"), ("02", "1"), ("56", "1.00")), "bad_input", "object 56", "indicator"),
        (sample(("00", "01"), ("02", "1"), ("64", "0002ZH")), "bad_input", "object 64", "language"),
        ("000201" + "٠٢", "bad_input", "character 6", "two digits"),
    ],
)
def test_a_bad_code_is_refused_with_what_and_where(text: str, code: str, where: str, words: str) -> None:
    """The message names the object and the character."""
    with pytest.raises(BadInput, match=words) as caught:
        parse(text)
    assert caught.value.code == code
    assert where in caught.value.where


def test_lengths_in_bytes_are_understood() -> None:
    """Some banks count UTF-8 bytes, in templates too; the checksum says that nothing was altered."""
    name = "CAFÉ SÃO"
    account = f"0014br.gov.bcb.pix0103abc0205{'JOÃO'}"
    body = f"00020126{len(account.encode()):02}{account}5303986580 2BR59{len(name.encode()):02}{name}".replace(
        "580 2", "5802"
    )
    code = parse(emvco.sign(body))
    assert (code.name, code.accounts[0].parts[2]) == (name, ("02", "JOÃO"))


def test_amounts_of_other_currencies() -> None:
    """Yen have no decimals, dinars three; zeros beyond are harmless; a bare point is allowed by the standard."""
    for currency, text, minor in (
        ("392", "150", 150),
        ("788", "1.5", 1500),
        ("704", "180000", 180_000),
        ("392", "15.00", 15),
    ):
        code = parse(sample(("00", "01"), ("02", "1"), ("53", currency), ("54", text)))
        assert code.amount_minor == minor


@pytest.mark.parametrize(
    "code",
    [
        MerchantCode(accounts=(Account("02", "1"),), name="x" * 26),
        MerchantCode(accounts=(Account("02", "1"),), amount_minor=5),
        MerchantCode(accounts=(Account("52", "1"),)),
        MerchantCode(accounts=(Account("02", ""),)),
        MerchantCode(accounts=(Account("02", "1"), Account("02", "2"))),
        MerchantCode(accounts=(Account("02", "1"),), templates=(("79", "1"),)),
        MerchantCode(accounts=(Account("02", "1"),), tip=TipPercent(0)),
        MerchantCode(accounts=tuple(Account(f"{name:02}", "x" * 99) for name in range(2, 9))),
    ],
)
def test_what_the_standard_forbids_is_not_written(code: MerchantCode) -> None:
    """Too long, nameless, twice, out of place."""
    with pytest.raises(BadInput):
        build(code)
