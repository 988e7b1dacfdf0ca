"""Settings: one TOML file, then ``FORMICARY_…`` variables, then flags; the last one wins. A frozen :class:`Config`.

:data:`SETTINGS` is the table that the documentation, the environment and the file are read by; a setting that is not in
it is refused by name, so that a typing error never goes unnoticed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from blake3 import blake3

from formicary.base.errors import BadInput

LOG_LEVELS: Final = ("error", "warning", "info", "debug")
ENVIRONMENT: Final = "FORMICARY_"
_ID: Final = re.compile(r"([0-9a-f]{32})?")


def _setting(default: Any, words: str) -> Any:  # noqa: ANN401 - any of the types that a setting has
    return field(default=default, metadata={"words": words})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that a gateway can be told; each field is a setting of the same name."""

    data: Path = _setting(  # noqa: RUF009 - a field, made once
        Path("formicary-data"), "Folder of the ledger, the vault and the doors' own file."
    )
    name: str = _setting("Formicary", "Name of the institution, as people see it.")
    institution_id: str = _setting("", "Id of the institution, 32 hexadecimal digits; empty: made from `origin`.")
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on.")
    origin: str = _setting("", "Where people's browsers find us; empty: `http://localhost` and the port.")
    trusted_proxies: str = _setting("127.0.0.1", "Addresses of proxies whose `X-Forwarded-For` is believed.")
    sandbox: bool = _setting(True, "Whether this is a sandbox: play money, and a bank that pays on demand.")  # noqa: FBT003
    currencies: str = _setting("EUR,USD,CNY", "Currencies that people may open, first one first.")
    language: str = _setting("en", "Language of people who have not chosen one: `en`, `fr` or `zh`.")
    kms_key: Path = _setting(  # noqa: RUF009 - a field, made once
        Path("kms.key"), "File of the key that wraps all others; relative to `data`."
    )
    log_level: str = _setting(
        "info", "What is logged to stderr: `error`, `warning`, `info` (also slow requests) or `debug` (every request)."
    )
    bank_iban: str = _setting("", "IBAN of the institution's own account; empty: the sandbox bank's.")
    bank_bic: str = _setting("", "BIC of the institution's bank.")
    bank_holder: str = _setting("", "Name in which the institution's account is held.")
    session_idle_s: int = _setting(1800, "Seconds after which a session that nobody uses ends.")
    session_absolute_s: int = _setting(2_592_000, "Seconds after which a session ends in any case.")
    confirm_s: int = _setting(300, "Seconds for which a person counts as having just shown passkey or PIN.")
    ticket_s: int = _setting(300, "Seconds that a sign-up, sign-in or confirmation may take.")
    pin_tries: int = _setting(5, "Wrong PINs in a row before the first lock-out.")
    pin_lock_s: int = _setting(30, "Seconds of the first lock-out; each further wrong PIN doubles it, up to a day.")
    rate_per_s: int = _setting(50, "Requests a second that one session or key may make on average.")
    rate_burst: int = _setting(200, "Requests that one session or key may make at once.")
    rate_nobody_per_s: int = _setting(20, "Requests a second from one address without signing in.")
    rate_nobody_burst: int = _setting(100, "Requests at once from one address without signing in.")
    rate_sign_in_per_minute: int = _setting(30, "Attempts a minute from one address to sign up, sign in or confirm.")
    body_s: int = _setting(10, "Seconds in which a request's body has to arrive.")
    idle_s: int = _setting(30, "Seconds after which a connection that nobody uses is closed.")
    connections_max: int = _setting(2000, "Connections at once; more are told to come back (503).")
    stop_s: int = _setting(10, "Seconds that requests under way get when the server stops.")

    def __post_init__(self) -> None:
        """Refuse what can't be; the message names the setting."""
        for each in fields(self):
            value = getattr(self, each.name)
            least = 0 if each.name == "port" else 1
            if type(value) is int and value < least:
                raise BadInput(f"{value} is too small: at least {least}", where=each.name)
        if not _ID.fullmatch(self.institution_id):
            raise BadInput("an id has 32 lower-case hexadecimal digits", where="institution_id")
        if self.log_level not in LOG_LEVELS:
            raise BadInput(f"{self.log_level!r} is none of {', '.join(LOG_LEVELS)}", where="log_level")
        if self.origin and not _is_origin(self.origin):
            raise BadInput(f"{self.origin!r} is not scheme://host[:port]", where="origin")

    @property
    def institution(self) -> bytes:
        """The institution's id, 16 bytes: what others know it by."""
        return bytes.fromhex(self.institution_id) or blake3(self.public_origin.encode()).digest(length=16)

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of our pages, as a browser's ``Origin`` header has it."""
        return self.origin or f"http://localhost:{self.port}"

    @property
    def rp_id(self) -> str:
        """The relying party of passkeys: the host of our pages."""
        return urlsplit(self.public_origin).hostname or "localhost"

    @property
    def is_secure(self) -> bool:
        """Whether people reach us by TLS, so that cookies may have the ``__Host-`` prefix."""
        return self.public_origin.startswith("https://")

    @property
    def assets(self) -> tuple[str, ...]:
        """Letters of the currencies that people may open."""
        return tuple(code.strip().upper() for code in self.currencies.split(",") if code.strip())


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings."""

    name: str
    kind: str
    default: str
    words: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT + self.name.upper()


SETTINGS: Final = tuple(
    Setting(
        each.name, type(each.default).__name__.replace("PosixPath", "path"), str(each.default), each.metadata["words"]
    )
    for each in fields(Config)
)
"""Every setting: its name, kind, default and what it is for."""
_KINDS: Final = {each.name: type(each.default) for each in fields(Config)}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def load_config(
    path: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    defaults: Mapping[str, object] | None = None,
) -> Config:
    """Read the settings; refuses an unknown or unreadable one, and says where it stands.

    ``environment`` may hold other variables of ours (``FORMICARY_UNCOMPILED`` …): what is no setting is left to
    whom they belong. ``defaults`` of the caller count only where nothing else says otherwise.
    """
    values: dict[str, Any] = {name: _typed(name, value, name) for name, value in (defaults or {}).items()}
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
            told = tomllib.loads(text)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"can't be read: {error}", where=str(path)) from error
        values |= {name: _typed(name, value, f"{path}: {name}") for name, value in told.items()}
    for setting in SETTINGS:
        text_value = (environment or {}).get(setting.variable)
        if text_value is not None:
            values[setting.name] = _typed(setting.name, text_value, setting.variable)
    for name, value in (flags or {}).items():
        if value is not None:
            values[name] = _typed(name, value, f"--{name.replace('_', '-')}")
    return Config(**values)


def _typed(name: str, value: object, where: str) -> object:
    kind = _KINDS.get(name)
    if kind is None:
        raise BadInput("there is no such setting", where=where)
    if issubclass(kind, Path):
        return Path(str(value))
    if kind is bool and isinstance(value, str):
        if value.lower() not in _TRUE | _FALSE:
            raise BadInput(f"{value!r} is neither true nor false", where=where)
        return value.lower() in _TRUE
    if kind is int and isinstance(value, str):
        try:
            return int(value)
        except ValueError as error:
            raise BadInput(f"{value!r} is not a whole number", where=where) from error
    if type(value) is not kind:
        raise BadInput(f"{value!r} is not of type {kind.__name__}", where=where)
    return value


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return (
        parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.path or parts.query or parts.fragment)
    )
