"""Files of tickets are read row by row, and whatever is wrong with one is named."""

import gzip
import io
from typing import Any

import pytest

from flowdesk.intake.bulk.files import KEPT, LONGEST_RECORD, Record, UnusableFile, open_records
from flowdesk.intake.bulk.states import FileFormat


class Bytes(io.BytesIO, io.RawIOBase):  # type: ignore[misc]
    """A file in memory, read as one on disk is."""


def read(data: bytes, form: FileFormat = FileFormat.CSV) -> list[Record]:
    return list(open_records(Bytes(data), form=form).records)


def values(data: bytes, form: FileFormat = FileFormat.CSV) -> list[Any]:
    return [dict(record.values) for record in read(data, form)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(mark: str) -> None:
    assert values(f'a{mark}b\n1{mark}"2{mark}3"\n'.encode()) == [{"a": "1", "b": f"2{mark}3"}]


def test_cells_may_hold_line_ends_and_lines_are_counted_by_the_file() -> None:
    found = read(b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n')

    assert [(record.line, record.values["b"]) for record in found] == [(2, "x\r\ny"), (4, "z")]
    assert found[0].raw == b'1,"x\r\ny"'


def test_a_byte_order_mark_does_no_harm() -> None:
    assert values(b"\xef\xbb\xbfa,b\n1,2\n") == [{"a": "1", "b": "2"}]
    assert values(b'\xef\xbb\xbf{"a": 1}\n', FileFormat.JSONL) == [{"a": 1}]


def test_gzip_is_recognised_by_its_first_bytes() -> None:
    assert values(gzip.compress(b"a\n1\n")) == [{"a": "1"}]


def test_a_gzip_file_that_breaks_off_says_where() -> None:
    data = gzip.compress(b'{"a": 1}\n' * 50_000, compresslevel=0)[:-5000]

    with pytest.raises(UnusableFile, match="broken from line"):
        read(data, FileFormat.JSONL)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"1\n", "has 1 cells where the first line has 2"),
        (b"1,2,3\n", "has 3 cells"),
        (b"1,\xff\n", "is not text in UTF-8"),
        (b'1,"2"x\n', "is not CSV"),
    ],
)
def test_a_bad_row_of_csv_is_named_and_the_next_one_is_read(row: bytes, why: str) -> None:
    bad, good = read(b"a,b\n" + row + b"3,4\n")

    assert why in bad.fault
    assert (bad.line, bad.raw) == (2, row.rstrip(b"\n"))
    assert dict(good.values) == {"a": "3", "b": "4"}


@pytest.mark.parametrize("rows", [1, 1_000_000])
def test_a_quotation_that_is_not_closed_is_named_and_ends_the_reading(rows: int) -> None:
    records = open_records(Bytes(b'a,b\n1,2\n3,"4\n' + b"5,6,7,8\n" * rows), form=FileFormat.CSV).records

    assert dict(next(records).values) == {"a": "1", "b": "2"}
    with pytest.raises(UnusableFile, match="Line 3 begins a quotation that is not closed"):
        next(records)


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_read_to_its_end() -> None:
    data = gzip.compress(b'{"a": 1}\n' * 100_000)

    assert (
        len(list(open_records(Bytes(data), form=FileFormat.JSONL, most_unpacked=900_000).records)) == 100_000
    )
    with pytest.raises(UnusableFile, match="more than 899999 bytes when unpacked"):
        list(open_records(Bytes(data), form=FileFormat.JSONL, most_unpacked=899_999).records)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"{", "is not JSON"),
        (b"[1]", "is not an object"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": "\xff"}', "is not text in UTF-8 (byte 8)"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"\x00", "is not JSON"),
    ],
)
def test_a_bad_json_line_is_named_and_the_next_one_is_read(row: bytes, why: str) -> None:
    _, bad, good = read(b'{"a": 0}\n' + row + b'\n\n{"a": 1}\n', FileFormat.JSONL)

    assert why in bad.fault
    assert bad.line == 2
    assert (good.line, dict(good.values)) == (4, {"a": 1})


def test_a_line_of_ten_megabytes_is_refused_and_only_its_beginning_kept() -> None:
    long = b'{"a": "' + b"x" * (10 * 1024 * 1024) + b'"}\n'
    bad, last = read(long + b'{"a": 1}\n', FileFormat.JSONL)

    assert bad.fault == f"is longer than {LONGEST_RECORD} bytes"
    assert bad.raw == long[:KEPT]
    assert (last.line, last.values["a"]) == (2, 1)
