"""What people call themselves, brought to one form before it is digested: aliases, phones, mail addresses, names."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from formicary.gateway.problems import Problem

NAME_CHARS_MAX: Final = 60
"""Characters of a name."""
LANGUAGES: Final = ("en", "fr", "zh")
_ALIAS: Final = re.compile(r"[a-z][a-z0-9]*(?:[._][a-z0-9]+)*")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_MAIL: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\.[^@\s.\x00-\x1f]{2,63}")


def read_alias(text: str) -> str:
    """An alias without its ``@``, in lower case; refuses with ``alias_malformed``."""
    alias = text.strip().removeprefix("@").lower()
    if not (3 <= len(alias) <= 30 and _ALIAS.fullmatch(alias)):
        raise Problem("alias_malformed", where="alias")
    return alias


def read_contact(text: str, *, where: str = "find") -> tuple[str, str]:
    """``("phone", "+33…")`` as E.164 has it, or ``("mail", "…@…")`` in lower case, or ``contact_malformed``."""
    phone = re.sub(r"[\s().-]", "", text)
    if _PHONE.fullmatch(phone):
        return "phone", phone
    mail = unicodedata.normalize("NFKC", text).strip().casefold()
    if _MAIL.fullmatch(mail) and len(mail) <= 254:
        return "mail", mail
    raise Problem("contact_malformed", where=where)


def read_name(text: str) -> str:
    """A name in Unicode's composed form, with single spaces and without control characters; refuses an empty one."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if each.isspace() else each for each in composed)
    name = " ".join("".join(each for each in kept if unicodedata.category(each) not in {"Cc", "Cf", "Cs"}).split())
    if not 1 <= len(name) <= NAME_CHARS_MAX:
        raise Problem("bad_input", f"A name has 1 to {NAME_CHARS_MAX} characters.", where="name")
    return name


def read_language(text: str) -> str:
    """One of the languages that our pages speak; refuses with ``language_unknown``."""
    language = text.strip().lower().partition("-")[0]
    if language not in LANGUAGES:
        raise Problem("language_unknown", where="language")
    return language
