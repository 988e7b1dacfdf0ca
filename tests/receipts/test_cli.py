"""The command line checks receipts offline: files, text and pictures, with exit codes that a script can use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import formicary
from formicary.base.errors import BadInput, Refusal
from formicary.cli import main
from formicary.cli.qr import draw_code, read_codes
from formicary.machine.receipt_forms import write_bytes, write_json, write_text

from tests.receipts.test_receipts import large
from tests.receipts.world import World, reply, transfers


@pytest.fixture
def world() -> World:
    """A small ledger."""
    made = World()
    made.post(10, reply(1))
    made.rotate()
    made.post(5)
    return made


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run the command line; return its exit status and what it printed."""
    status = main(["receipt", *map(str, words)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize("form", ["json", "bytes", "text", "png"])
def test_verify_takes_every_form(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str], form: str) -> None:
    """A file in any form, and a picture of the QR code, verify against the ledger's id."""
    path, receipt = tmp_path / f"receipt.{form}", world.receipt(4)
    if form == "png":
        draw_code(write_text(receipt), path)
    else:
        writers = {"json": write_json, "bytes": write_bytes, "text": lambda each: write_text(each).encode()}
        path.write_bytes(writers[form](receipt))
    status, out, err = run(capsys, "verify", path, "--ledger-id", world.genesis.ledger_id.hex())
    assert (status, err) == (0, "")
    assert "transfer 5: 5.00 EUR moved" in out
    status, out, _ = run(capsys, "verify", path, "--key", world.keys[1].public_key.hex(), "--json")
    shown = json.loads(out)
    assert status == 0
    assert (shown["verified"], shown["trusted"], shown["about"]["amount"]) == (True, True, "500")


def test_verify_says_when_nothing_was_trusted(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an id or key it verifies, and warns."""
    path = tmp_path / "a.receipt"
    path.write_bytes(write_json(world.receipt(4)))
    status, out, _ = run(capsys, "verify", path)
    assert status == 0
    assert "You named no ledger" in out


def test_verify_refuses_with_a_plain_message(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed amount, another ledger's id, a bad option, no file: status 1 or 3 and one line that says why."""
    path, whose = tmp_path / "a.receipt", world.genesis.ledger_id.hex()
    good = write_json(world.receipt(4))
    path.write_bytes(good.replace(b'"amount": "500"', b'"amount": "900"'))
    assert run(capsys, "verify", path, "--ledger-id", whose)[::2] == (
        1,
        "error[receipt_wrong_path]: the path does not lead from this leaf to the signed root\n",
    )
    path.write_bytes(good)
    for options, words in (
        (("--ledger-id", "00" * 16), "is not your ledger"),
        (("--key", "00" * 32), "is not your key"),
        (("--ledger-id", "00"), "32 hexadecimal digits"),
        (("--key", "zz"), "not hexadecimal"),
        (("--key", "00" * 32, "--ledger-id", whose), "not both"),
    ):
        status, out, err = run(capsys, "verify", path, *options)
        assert (status, out) == (1, "")
        assert words in err
    path.write_bytes(good[:-1])
    assert "line " in run(capsys, "verify", path)[2]
    status, _, err = run(capsys, "verify", tmp_path / "missing")
    assert status == 3
    assert "No such file" in err


def test_consistency_compares_two_files(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A kept receipt and a later head agree, or are refused; a receipt is no later head."""
    old, new = tmp_path / "old.receipt", tmp_path / "new.head"
    kept = world.receipt(2)
    old.write_bytes(write_json(kept))
    world.post(100)
    new.write_bytes(write_json(world.statement(kept.head.size)))
    whose = world.genesis.ledger_id.hex()
    status, out, _ = run(capsys, "consistency", old, new, "--ledger-id", whose)
    assert status == 0
    assert "All 16 leaves" in out
    assert run(capsys, "consistency", old, new, "--ledger-id", "00" * 16)[0] == 1
    status, _, err = run(capsys, "consistency", new, old)
    assert status == 1
    assert "this is a receipt" in err


# ── QR codes ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rotations", "levels", "version"),
    [(0, 10, "22-M"), (1, 24, "30-M"), (1, 40, "36-M"), (5, 40, "40-M"), (9, 40, "39-L")],
)
def test_a_receipt_fits_one_code(tmp_path: Path, rotations: int, levels: int, version: str) -> None:
    """Sizes of the code for trees of 2^10 to 2^40 leaves, every field of the transfer and the note full."""
    text = write_text(large(rotations, levels))
    assert draw_code(text, tmp_path / "code.png") == version
    assert read_codes(tmp_path / "code.png") == [text]


def test_what_does_not_fit_one_code_is_refused(tmp_path: Path) -> None:
    """A long reply has a receipt, but no code; and a code is written as PNG or SVG."""
    world = World()
    world.post(1, reply(1, body=bytes(range(256)) * 12))
    with pytest.raises(Refusal, match="too long for one QR code"):
        draw_code(write_text(world.receipt(1)), tmp_path / "code.png")
    with pytest.raises(BadInput, match=r"\.png or an \.svg"):
        draw_code("A", tmp_path / "code.gif")


def test_a_code_can_be_an_svg(tmp_path: Path, world: World) -> None:
    """The drawing is a standalone SVG."""
    draw_code(write_text(world.receipt(0)), tmp_path / "code.svg")
    assert "<svg" in (tmp_path / "code.svg").read_text()


def test_a_code_is_read_from_a_poor_picture(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Turned, grey, noisy and saved as JPEG, as from a phone."""
    draw_code(write_text(world.receipt(4)), tmp_path / "code.png")
    with Image.open(tmp_path / "code.png") as picture:
        turned = picture.convert("L").rotate(7, expand=True, fillcolor=255)
    pixels = (
        np.asarray(turned).astype(np.int16) // 2 + 60 + np.random.default_rng(1).integers(-20, 20, turned.size[::-1])
    )
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "photo.jpg", quality=60)
    assert run(capsys, "verify", tmp_path / "photo.jpg")[0] == 0


def test_pictures_without_a_receipt_are_refused(
    tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """No code, another code, two receipts, and what is no picture at all."""
    Image.new("L", (200, 200), 255).save(tmp_path / "empty.png")
    draw_code("https://example.org", tmp_path / "other.png")
    for leaf in (0, 1):
        draw_code(write_text(world.receipt(leaf)), tmp_path / f"{leaf}.png")
    parts = [Image.open(tmp_path / f"{leaf}.png") for leaf in (0, 1)]
    both = Image.new("L", (sum(part.width for part in parts), parts[0].height), 255)
    both.paste(parts[0], (0, 0))
    both.paste(parts[1], (parts[0].width, 0))
    both.save(tmp_path / "both.png")
    for part in parts:
        part.close()
    (tmp_path / "fake.png").write_bytes(b"no picture")
    for name, words in (
        ("empty.png", "shows 0 receipts"),
        ("other.png", "shows 0 receipts"),
        ("both.png", "shows 2 receipts"),
        ("fake.png", "not a picture"),
    ):
        status, _, err = run(capsys, "verify", tmp_path / name)
        assert status == 1
        assert words in err


def test_a_stale_head_in_a_receipt_is_named(tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A receipt whose head was swapped for another of the same ledger does not pass."""
    path, receipt = tmp_path / "a.receipt", world.receipt(4)
    world.post(1)
    path.write_bytes(write_json(replace(receipt, head=world.head())))
    status, _, err = run(capsys, "verify", path)
    assert status == 1
    assert "receipt_wrong_path" in err


# ── with a ledger ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_receipts_of_a_real_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Make, verify, rotate the key, prove consistency: each verb on a ledger in a folder."""
    folder, kept, code, later = (tmp_path / name for name in ("shop.ledger", "a.receipt", "a.png", "b.head"))
    accounts = np.zeros(2, formicary.ACCOUNT)
    accounts["id_lo"], accounts["asset"], accounts["code"] = (1, 2), 978, 1
    records = transfers(20)
    records["debit_lo"], records["credit_lo"], records["time"] = 1, 2, 0
    with formicary.open(folder) as ledger:
        assert not ledger.open_accounts(accounts).any()
        assert not ledger.post(records[:10]).any()
    status, out, err = run(capsys, "make", folder, 7, "--out", kept, "--qr", code)
    assert (status, err) == (0, "")
    assert "the receipt of transfer 7" in out
    shown = json.loads(run(capsys, "head", folder, "--json")[1])
    whose = shown["ledger_id"]
    for file in (kept, code):
        status, out, err = run(capsys, "verify", file, "--ledger-id", whose)
        assert (status, err) == (0, "")
        assert "transfer 7: 7.00 EUR moved from account 1 to account 2" in out
    rotated = json.loads(run(capsys, "rotate-key", folder, "--json")[1])
    with formicary.open(folder) as ledger:
        assert not ledger.post(records[10:]).any()
    assert run(capsys, "head", folder, "--since", shown["size"], "--out", later)[0] == 0
    status, out, err = run(capsys, "consistency", kept, later, "--ledger-id", whose)
    assert (status, err) == (0, "")
    assert "are still there, unchanged and in order" in out
    after = json.loads(run(capsys, "head", folder, "--json")[1])
    assert after["key"] == rotated["public_key"] != shown["key"]
    assert run(capsys, "verify", later, "--key", shown["key"])[0] == 0
    assert run(capsys, "make", folder, 7)[1].startswith('{\n  "formicary": "receipt 1"')
    status, _, err = run(capsys, "make", folder, 99)
    assert status == 1
    assert "no transfer 99" in err
