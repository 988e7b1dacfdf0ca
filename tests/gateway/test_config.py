"""Settings: a file, the environment, flags, in this order; what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base.errors import BadInput
from formicary.gateway.config import SETTINGS, Config, load_config

from tests.gateway.town import Town

ROOT = Path(__file__).resolve().parents[2]


def test_the_last_one_wins(tmp_path: Path) -> None:
    """Flags over variables over the file over defaults."""
    path = tmp_path / "formicary.toml"
    path.write_text('port = 1\nname = "File"\nsandbox = false\n')
    environment = {"FORMICARY_PORT": "2", "FORMICARY_HOST": "::1", "FORMICARY_LEDGER": "not ours", "HOME": "/"}
    config = load_config(path, environment=environment, flags={"port": 3, "host": None})
    assert (config.port, config.host, config.name, config.sandbox) == (3, "::1", "File", False)
    assert load_config() == Config()


@pytest.mark.parametrize(
    ("text", "environment", "where"),
    [
        ("prot = 1", {}, "prot"),
        ("port = '1a'", {}, "port"),
        ("port = true", {}, "port"),
        ("port = 1.5", {}, "port"),
        ("sandbox = 1", {}, "sandbox"),
        ("session_idle_s = 0", {}, "session_idle_s"),
        ("origin = 'https://pay.example/path'", {}, "origin"),
        ("institution_id = 'xyz'", {}, "institution_id"),
        ("port = ", {}, "formicary.toml"),
        ("", {"FORMICARY_SANDBOX": "perhaps"}, "FORMICARY_SANDBOX"),
        ("", {"FORMICARY_PORT": "many"}, "FORMICARY_PORT"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, environment: dict[str, str], where: str) -> None:
    """A typing error never goes unnoticed."""
    path = tmp_path / "formicary.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        load_config(path, environment=environment)
    assert where in refused.value.where


def test_what_follows_from_the_origin() -> None:
    """Cookies and passkeys go by it."""
    local, public = Config(port=80), Config(origin="https://pay.example:8443")
    assert (local.public_origin, local.rp_id, local.is_secure) == ("http://localhost:80", "localhost", False)
    assert (public.rp_id, public.is_secure) == ("pay.example", True)
    assert len(public.institution) == 16
    assert public.institution != local.institution


def test_every_setting_is_documented() -> None:
    """Name, variable and words stand in the reference."""
    page = (ROOT / "docs" / "reference" / "gateway-settings.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        row = f"| `{setting.name}` | `{setting.variable}` | {setting.default or 'empty'} | {setting.words} |"
        assert row in page, setting.name


def test_a_door_in_memory_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it hands to the bank as a file lies in a folder of its own, not where the program was started."""
    monkeypatch.chdir(tmp_path)
    town = Town()
    ann = town.person("Ann", alias="ann.behind", pin="493817")
    assert ann.post("/v1/sandbox/bank-transfer", asset="EUR", amount_minor=500).status_code == 200
    assert len(list((town.door.config.data / "bank" / "customers").iterdir())) == 1
    town.close()
    assert list(tmp_path.iterdir()) == []
