"""An export holds everything exactly, reads back as the same ledger, and other tools can query it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from formicary.base.errors import Refusal
from formicary.base.money import AMOUNT_MAX, parse_asset
from formicary.kernel.records import AMOUNT_ALL, TRANSFER, TransferFlag
from formicary.node import exporting
from formicary.node.import_source import open_source
from formicary.node.importing import ImportOptions, import_accounts, import_transfers
from formicary.node.ledger import Ledger, open_ledger
from formicary.node.names import Names

HISTORY = """id,debit,credit,amount,asset,flags,hold,timeout,user_data,user_data_64,code
1,fund,alice,100.00,EUR,,,,,,1
2,fund,alice,7,JPY,,,,99,5,2
INV-3,alice,"shop, the ""corner"" one",12.50,EUR,linked,,,,,1
INV-4,alice,shop,0.05,EUR,,,,,,1
H1,alice,hotel,50,EUR,hold,,,,,1
H2,alice,hotel,10,EUR,hold,,3600,,,1
C1,,,33.33,EUR,capture,H1,,,,1
R2,,,10.00,EUR,release,H2,,,,1
F1,alice,shop,1,EUR,freezing_debit,,,,,1
X1,fund,#340282366920938463463374607431768211,1,GOLD24,,,,,,1
"""


@pytest.fixture
def lived(town: Ledger, town_names: Names, tmp_path: Path) -> Ledger:
    """A ledger with some of everything."""
    path = tmp_path / "history.csv"
    path.write_text("name,asset,flags\nalice,EUR,debits_limited\nfrozen from birth,EUR,frozen\n")
    with closing(open_source(path)) as source:
        assert import_accounts(town, town_names, source, ImportOptions()).clean
    path.write_text(HISTORY)
    with closing(open_source(path)) as source:
        assert import_transfers(town, town_names, source, ImportOptions()).clean
    return town


def write(ledger: Ledger, names: Names, folder: Path, suffix: str) -> tuple[Path, Path]:
    """Export accounts and transfers."""
    save = exporting.write_csv if suffix == "csv" else exporting.write_parquet
    accounts, transfers = folder / f"accounts.{suffix}", folder / f"transfers.{suffix}"
    frames = exporting.account_frames([ledger.account_records()], names.of)
    save(accounts, exporting.ACCOUNT_COLUMNS, frames)
    save(transfers, exporting.TRANSFER_COLUMNS, exporting.transfer_frames(ledger.transfer_records(chunk=3), names.of))
    return accounts, transfers


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_export_imports_into_a_new_ledger_with_the_same_balances(
    lived: Ledger, town_names: Names, tmp_path: Path, suffix: str
) -> None:
    """Ids, names, flags, holds and status come along; only the times are new."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    accounts, transfers = write(lived, town_names, tmp_path, suffix)
    with open_ledger(tmp_path / "again") as again, Names(tmp_path / "again" / "names.db") as names:
        with closing(open_source(accounts)) as source:
            assert import_accounts(again, names, source, ImportOptions()).clean
        with closing(open_source(transfers)) as source:
            report = import_transfers(again, names, source, ImportOptions(open_new=False))
        assert [str(problem) for problem in report.problems] == []
        left, right = lived.account_records(), again.account_records()
        for field in set(left.dtype.names or ()) - {"time"}:
            assert left[field].tolist() == right[field].tolist(), field
        left, right = (np.concatenate(list(each.transfer_records())) for each in (lived, again))
        for field in set(left.dtype.names or ()) - {"time"}:
            assert left[field].tolist() == right[field].tolist(), field
        assert names.of([int(left["debit_lo"][0]) | int(left["debit_hi"][0]) << 64]) != {}


def test_a_csv_export_is_plain_to_read(lived: Ledger, town_names: Names, tmp_path: Path) -> None:
    """Names with delimiters are quoted; an account without a name is its id."""
    _, transfers = write(lived, town_names, tmp_path, "csv")
    lines = transfers.read_text().splitlines()
    assert lines[0].startswith("id,debit,credit,amount,asset,code,flags,hold,timeout,user_data")
    assert lines[1].startswith("1,fund,alice,100.00,EUR,1,,,0,,0,0,20")
    assert lines[2].startswith("2,fund,alice,7,JPY,2,,,0,99,5,0,")
    assert '"shop, the ""corner"" one",12.50,EUR,1,linked' in lines[3]
    assert "#00418937-4bc6-a7ef-9db2-2d0e560418937" not in lines[10]
    assert ",#" in lines[10]
    assert lines[1].endswith("Z")


def test_balances_net_to_zero_and_accounts_tell_their_status(lived: Ledger, town_names: Names) -> None:
    """A frozen account opens frozen again only when no transfer froze it."""
    pytest.importorskip("pyarrow")
    records = [lived.account_records()]
    balances = exporting.to_arrow(exporting.BALANCE_COLUMNS, exporting.balance_frames(records, town_names.of))
    for asset in ("EUR", "JPY", "GOLD24"):
        rows = [row for row in balances.to_pylist() if row["asset"] == asset]
        assert sum(row["balance"] for row in rows) == Decimal(0)
    accounts = exporting.to_arrow(exporting.ACCOUNT_COLUMNS, exporting.account_frames(records, town_names.of))
    by_name = {(row["name"], row["asset"]): row for row in accounts.to_pylist()}
    alice, newborn = by_name["alice", "EUR"], by_name["frozen from birth", "EUR"]
    assert (alice["status"], alice["flags"]) == ("frozen", "debits_limited")
    assert (newborn["status"], newborn["flags"]) == ("frozen", "frozen")
    assert alice["balance"] == Decimal("53.12")


def test_pandas_keeps_amounts_exact(lived: Ledger, town_names: Names) -> None:
    """A column of decimals, not of floats."""
    pytest.importorskip("pandas")
    frames = exporting.transfer_frames(lived.transfer_records(), town_names.of)
    frame = exporting.to_pandas(exporting.TRANSFER_COLUMNS, frames)
    assert len(frame) == 10
    assert frame["amount"][0] == Decimal("100.0000")
    assert isinstance(frame["amount"][0], Decimal)
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"


def test_the_largest_amount_of_every_scale_is_exact(tmp_path: Path) -> None:
    """2^63-1 minor units of an asset without decimals, and of the one with the most."""
    pytest.importorskip("pyarrow")
    records = np.zeros(3, TRANSFER)
    records["id_lo"] = [1, 2, 3]
    records["amount"] = AMOUNT_MAX
    records["asset"] = [parse_asset("POINTS"), parse_asset("CLF"), parse_asset("EUR")]
    table = exporting.to_arrow(exporting.TRANSFER_COLUMNS, exporting.transfer_frames([records], lambda _: {}))
    assert table["amount"].to_pylist() == [Decimal(AMOUNT_MAX).scaleb(-places) for places in (0, 4, 2)]
    exporting.write_csv(
        tmp_path / "t.csv", exporting.TRANSFER_COLUMNS, exporting.transfer_frames([records], lambda _: {})
    )
    assert "922337203685477.5807" in (tmp_path / "t.csv").read_text()


def test_duckdb_queries_an_export(lived: Ledger, town_names: Names, tmp_path: Path) -> None:
    """Sums in SQL over the Parquet file are exact and agree with the ledger."""
    duckdb = pytest.importorskip("duckdb")
    accounts, transfers = write(lived, town_names, tmp_path, "parquet")
    by_asset = duckdb.execute(
        "SELECT asset, sum(amount), count(*) FROM read_parquet(?) WHERE flags = '' GROUP BY asset ORDER BY asset",
        [str(transfers)],
    )
    assert by_asset.fetchall() == [
        ("EUR", Decimal("100.0500"), 2),
        ("GOLD24", Decimal("1.0000"), 1),
        ("JPY", Decimal("7.0000"), 1),
    ]
    shop = duckdb.execute("SELECT balance FROM read_parquet(?) WHERE name = 'shop'", [str(accounts)])
    assert shop.fetchall() == [(Decimal("1.0500"),)]


def test_an_expiry_of_another_ledger_imports_as_a_release(town: Ledger, town_names: Names, tmp_path: Path) -> None:
    """Its id and its flag are that ledger's own, so neither can be asked for."""
    path = tmp_path / "in.csv"
    expiry = (2**64 - 1 << 64) | 3
    path.write_text(
        "id,debit,credit,amount,asset,flags,hold\n1,a,b,5,EUR,hold,\n" + f"{expiry},a,b,5,EUR,expiry,1\n",
    )
    for accepted in (2, 0):
        with closing(open_source(path)) as source:
            report = import_transfers(town, town_names, source, ImportOptions())
        assert (report.accepted, report.problems) == (accepted, [])
    (_, release) = np.concatenate(list(town.transfer_records()))
    assert int(release["flags"]) == TransferFlag.RELEASE
    assert int(release["amount"]) == 500 != AMOUNT_ALL


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A failure on the way leaves an older export as it was."""
    target = tmp_path / "t.csv"
    target.write_text("older")

    def failing() -> Iterator[exporting.Frame]:
        yield from exporting.transfer_frames([np.zeros(1, TRANSFER)], lambda _: {})
        raise Refusal("the disk of the ledger went away")

    with pytest.raises(Refusal):
        exporting.write_csv(target, exporting.TRANSFER_COLUMNS, failing())
    assert target.read_text() == "older"
