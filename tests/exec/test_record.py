"""Records of plain stages read and write the bytes that numpy and compiled code do."""

from __future__ import annotations

import numpy as np
import pytest

from byteor.exec.record import KEPT, Records, Texts, rows

KIND = np.dtype(
    {
        "names": ["flag", "small", "big", "real", "tag", "several", "_array"],
        "formats": ["?", "<i2", "<u8", "<f4", "S3", ("<i4", (2,)), "<i8"],
        "offsets": [0, 1, 3, 11, 15, 18, 26],
        "itemsize": 40,
    }
)


def array(count: int = 4) -> np.ndarray:
    made = np.zeros(count, KIND)
    made["big"] = np.arange(count)
    made["tag"] = b"ab"
    return made


def test_fields_are_read_by_attribute_and_by_name() -> None:
    record = Records(array())[2]
    assert (record.big, record["big"], record.tag, list(record.several), record.flag) == (2, 2, b"ab", [0, 0], False)


def test_what_is_written_is_in_the_array() -> None:
    whole = array()
    record = Records(whole)[1]
    record.flag, record.small, record["real"], record.tag, record._array = True, np.int64(-3), 2, "xyz", 7
    record.several[1] = 5
    assert [whole[name][1].tolist() for name in KIND.names or ()] == [True, -3, 1, 2.0, b"xyz", [0, 5], 7]
    assert whole[0].tolist()[4] == b"ab"


def test_integers_are_cut_as_compiled_code_cuts_them() -> None:
    record = Records(array())[0]
    record.small = 70_000
    assert record.small == np.array(70_000).astype(np.int16)


@pytest.mark.parametrize("text", [b"", b"a", b"a\0b", b"\0\0b", b"abc"])
def test_texts_end_where_numpy_ends_them(text: bytes) -> None:
    whole = array()
    whole["tag"][0] = text
    assert (Records(whole)[0].tag, whole["tag"][0]) == (text, text)


def test_a_text_too_long_is_cut_as_numpy_cuts_it() -> None:
    whole = array()
    Records(whole)[0].tag = b"abcd"
    assert whole["tag"][0] == b"abc"


def test_a_text_with_a_zero_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        Records(array())[0].tag = b"a\0b"


def test_quick_records_are_for_texts_without_zeros_inside() -> None:
    whole = array()
    assert not Texts(whole).are_odd(0, 4)
    assert Records(whole, quick=True)[0].tag == b"ab"
    whole["tag"][2] = b"a\0b"
    assert [Texts(whole).are_odd(*rows) for rows in ((0, 2), (0, 3), (2, 1), (3, 1))] == [False, True, True, False]


def test_a_piece_is_the_same_records_again() -> None:
    records = Records(array())
    assert records.piece(1, 2)[0] is records[1]
    assert records.row_of(records[3]) == 3


def test_rows_behind_the_kept_ones_are_made_each_time() -> None:
    records = Records(np.arange(KEPT + 2).astype([("n", "<i8")]))
    assert [record.n for record in records.piece(KEPT - 1, 3)] == [KEPT - 1, KEPT, KEPT + 1]


def test_rows_take_records_and_give_them() -> None:
    whole = array()
    out, given = rows(np.zeros(3, KIND)), rows(whole)
    out[0] = given[3]
    out[1:] = given[:2]
    assert [row.big for row in out] == [3, 0, 1]
    assert given[-1].big == 3
    assert out["big"].tolist() == [3, 0, 1]
    with pytest.raises(IndexError):
        given[4]
