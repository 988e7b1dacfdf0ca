"""Where a ledger's parts lie: one folder, and everything in it but the log and the keys can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from formicary.base.errors import BadInput, Refusal

FORMAT: Final = 1


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``ledger.json``: what must be known before the log is open."""

    format: int = FORMAT
    log: str = ""
    """Address of a log outside the folder, without secrets; empty for the file log under ``log/``."""
    products: tuple[str, ...] = ()
    """Names of the products that it was last written with: who reads the log needs the same ones."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths below one ledger."""

    path: Path

    @property
    def log(self) -> Path:
        """Segments, epoch and lock of the file log."""
        return self.path / "log"

    @property
    def state(self) -> Path:
        """What the log comes to: derived, and safe to delete while the ledger is closed."""
        return self.path / "state"

    @property
    def keys(self) -> Path:
        """Private signing keys."""
        return self.path / "keys"

    @property
    def heads(self) -> Path:
        """Signed tree heads that were given out."""
        return self.path / "heads"

    @property
    def names(self) -> Path:
        """Names of accounts, which the log never holds."""
        return self.path / "names.db"

    @property
    def config(self) -> Path:
        """The settings that must be known before the log is open."""
        return self.path / "ledger.json"

    def exists(self) -> bool:
        """Whether a ledger was made here."""
        return self.config.exists()

    def create(self, log: str) -> None:
        """Make the folder, or refuse one that is in use for something else."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise Refusal(f"{self.path} is there already and is not a ledger", code="not_a_ledger")
        self.path.mkdir(parents=True, exist_ok=True)
        self._write(Config(log=log))

    def note_products(self, names: Iterable[str]) -> None:
        """Remember the products that the ledger is written with from now on; by its one writer.

        Refuses to go on without one that it was written with: the log would come to something else.
        """
        config, given = self.read_config(), tuple(names)
        missing = [name for name in config.products if name not in given]
        if missing:
            raise Refusal(f"{self.path} was written with the product {missing[0]}, too", code="other_products")
        changed = msgspec.structs.replace(config, products=given)
        if changed != config:
            self._write(changed)

    def _write(self, config: Config) -> None:
        unfinished = self.config.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.encode(config) + b"\n")
        unfinished.replace(self.config)

    def read_config(self) -> Config:
        """Read the settings, or refuse what is not a ledger's."""
        try:
            config = msgspec.json.decode(self.config.read_bytes(), type=Config)
        except FileNotFoundError:
            raise Refusal(f"there is no ledger in {self.path}", code="ledger_missing") from None
        except msgspec.MsgspecError as error:
            raise BadInput(str(error), where=str(self.config)) from error
        if config.format != FORMAT:
            raise BadInput(f"format {config.format} is not known here", where=str(self.config))
        return config

    def log_address(self, log: str | None = None) -> str | Path:
        """Where the log is; an address given must be the one that the ledger was made with."""
        kept = self.read_config().log
        if log is not None and log != kept:
            raise Refusal(f"this ledger's log is {kept or self.log}, not {log}", code="other_log")
        return kept or self.log
