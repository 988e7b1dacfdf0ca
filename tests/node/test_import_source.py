"""Files of any delimiter, quote, encoding and shape come out as columns of text, each row with its line."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from formicary.base.errors import BadInput, Refusal
from formicary.node.import_source import CHUNK_ROWS, JsonLinesSource, Rows, open_source


def read(path: Path, *wanted: str, **options: object) -> tuple[list[int], dict[str, list[str]], list[str]]:
    """Read the whole of a file: lines, columns and problems."""
    with closing(open_source(path, **options)) as source:  # type: ignore[arg-type]
        chunks = list(source.chunks(wanted or source.header))
    lines = [line for rows in chunks for line in rows.lines]
    columns = {name: [text for rows in chunks for text in rows.columns[name]] for name in wanted or source.header}
    return lines, columns, [str(problem) for rows in chunks for problem in rows.problems]


def write(tmp_path: Path, text: str | bytes) -> Path:
    """Write a CSV file."""
    path = tmp_path / "in.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    """The character that stands most often in the first line, outside quotes."""
    text = f'"id, and; so|on"{delimiter}b{delimiter}c\n1{delimiter}2{delimiter}3\n'
    lines, columns, _ = read(write(tmp_path, text))
    assert lines == [2]
    assert columns == {"id, and; so|on": ["1"], "b": ["2"], "c": ["3"]}


def test_a_delimiter_a_quote_and_an_encoding_can_be_given(tmp_path: Path) -> None:
    """Such as an old bank's export."""
    path = write(tmp_path, "name^amount\n'Žižka ^ Vít'^1\n".encode("cp1250"))
    assert read(path, delimiter="^", quote="'", encoding="cp1250")[1] == {"name": ["Žižka ^ Vít"], "amount": ["1"]}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    """Spreadsheets write one."""
    assert read(write(tmp_path, b"\xef\xbb\xbfid,b\n1,2\n"))[1] == {"id": ["1"], "b": ["2"]}


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    """And the first line is a row."""
    lines, columns, _ = read(write(tmp_path, "a,b\nc,d\n"), header=False)
    assert (lines, columns) == ([1, 2], {"1": ["a", "c"], "2": ["b", "d"]})


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    """Through quoted line breaks of every kind and blank lines: a row's line is where it starts."""
    text = 'id,note\n1,"two\nlines"\n\n2,"a\r\nb\rc"\n3,"x\n"\n4,y\n'
    lines, columns, problems = read(write(tmp_path, text))
    assert columns["id"] == ["1", "2", "3", "4"]
    assert lines == [2, 5, 8, 10]
    assert problems == []


def test_a_row_of_another_width_is_a_problem_of_its_own(tmp_path: Path) -> None:
    """The others are read."""
    lines, columns, problems = read(write(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert (lines, columns["a"]) == ([2, 5], ["1", "7"])
    assert problems == ["line 3: 1 fields, and the header has 2", "line 4: 3 fields, and the header has 2"]


def test_more_rows_than_a_chunk_come_in_order(tmp_path: Path) -> None:
    """Nothing is lost or doubled where chunks meet, and line numbers go on."""
    count = 2 * CHUNK_ROWS + 5
    path = write(tmp_path, "id\n" + "".join(f"{number}\n" for number in range(count)))
    lines, columns, _ = read(path)
    assert columns["id"] == [str(number) for number in range(count)]
    assert lines == list(range(2, count + 2))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "empty"),
        (b"a,a\n1,2\n", "two columns are named 'a'"),
        (b"a,b\n1,\xff\n", "0xff is not utf-8"),
        (b'a,b\n1,"2\n', "unexpected end of data"),
    ],
)
def test_a_file_that_cant_be_read_says_why(tmp_path: Path, text: bytes, why: str) -> None:
    """And where."""
    with pytest.raises(BadInput, match=why) as refused:
        read(write(tmp_path, text))
    assert "in.csv" in str(refused.value)


def test_options_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    """An unknown encoding, a delimiter of two characters, a file that is not there."""
    path = write(tmp_path, "a\n1\n")
    with pytest.raises(BadInput, match="no encoding 'klingon'"):
        read(path, encoding="klingon")
    with pytest.raises(BadInput, match="one character"):
        read(path, delimiter="::")
    with pytest.raises(Refusal) as refused:
        read(tmp_path / "none.csv")
    assert refused.value.code == "file_not_found"


def test_a_parquet_file_reads_as_the_same_text_as_a_csv(tmp_path: Path) -> None:
    """Decimals lose the zeros of their scale, null is nothing, times are nanoseconds."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "amount": pa.array([None, "12.5"], pa.string()).cast(pa.decimal128(23, 4)),
            "name": pa.array(["a", "a"]).dictionary_encode(),
            "time": pa.array([1_000_000, 2_000_000], pa.timestamp("us")),
        }
    )
    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(table, path)
    lines, columns, _ = read(path)
    assert lines == [1, 2]
    assert columns == {
        "id": ["1", "2"],
        "amount": ["", "12.5"],
        "name": ["a", "a"],
        "time": ["1000000000", "2000000000"],
    }


def test_a_parquet_column_of_floats_is_refused(tmp_path: Path) -> None:
    """0.1 + 0.2 is no amount of money. Unused columns don't matter."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    path = tmp_path / "in.parquet"
    pyarrow.parquet.write_table(pa.table({"id": [1], "amount": [0.1]}), path)
    assert read(path, "id")[1] == {"id": ["1"]}
    with pytest.raises(BadInput, match="column amount holds floating-point"):
        read(path, "amount")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """A CSV under the wrong name."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "in.parquet"
    path.write_text("a,b\n")
    with pytest.raises(BadInput, match="not a Parquet file"):
        read(path)


def test_json_lines_keep_every_digit() -> None:
    """A number is text until the parser sees it: no float comes between."""
    lines = b'{"id": 12345678901234567890, "amount": 0.10}\n\n{"amount": "7"}\n[1]\nnot json\n{"x": "1"}\n{"id": [1]}\n'
    (rows,) = JsonLinesSource(io.BytesIO(lines), "stdin", ("id", "amount")).chunks(("id", "amount"))
    assert isinstance(rows, Rows)
    assert rows.lines == [1, 3]
    assert rows.columns == {"id": ["12345678901234567890", ""], "amount": ["0.10", "7"]}
    assert [problem.line for problem in rows.problems] == [4, 5, 6, 7]
