"""One rule for ids: what no CSV, file name, figure or shell has to quote."""

import shlex
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saltseg.plumbing.errors import InputError
from saltseg.scoring.ids import damaged, faults, require

PLACE = Path("train.csv")


@pytest.mark.parametrize(
    "name", ["0a1b2c3d4e", "651e55", "6510000e48", "line-12_a.b", "Übergang", "塩", "_x", "NA"]
)
def test_ids_that_need_no_quotes(name: str) -> None:
    require(PLACE, [name])


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("a,b", "has ','"),
        ('a"b', "has '\"'"),
        ("a b", "has ' '"),
        ("a\nb", "has '\\n'"),
        ("a\x00b", "has '\\x00'"),
        ("a/b", "has '/'"),
        ("a\\b", "has '\\'"),
        ("..", "begins with '.'"),
        (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"),
        ("=1+1", "has '='"),
        ("$HOME", "has '$'"),
        ("a;b", "has ';'"),
        ("a*", "has '*'"),
        ("~a", "has '~'"),
        ("a\u200bb", "has '\\u200b'"),
        ("a\u202eb", "has '\\u202e'"),
        ("a\ufeff", "has '\\ufeff'"),
        ("\U0001f30b", "has '\U0001f30b'"),
        (unicodedata.normalize("NFD", "Übergang"), "is not in Unicode normal form C"),
        ("a" * 201, "has 201 bytes, more than 200"),
        ("ü" * 101, "has 202 bytes, more than 200"),
    ],
)
def test_what_is_no_id(name: str, fault: str) -> None:
    assert faults(["right", name]) == {name: fault}
    with pytest.raises(InputError, match=r"train\.csv: id that cannot be used, 1 of 2: ") as caught:
        require(PLACE, ["right", name], [2, 3])
    assert "line 3" in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("abc", "aBc"),
        ("Übergang", "übergang"),
        ("ß", "SS"),
        ("ü", unicodedata.normalize("NFD", "ü")),
    ],
)
def test_ids_that_a_file_system_takes_for_one(first: str, second: str) -> None:
    assert list(faults([first, "other", second])) == [second]
    with pytest.raises(InputError, match="cannot be used, 1 of 2: "):
        require(PLACE, [first, second])


@pytest.mark.parametrize("name", ["6.51E+55", "6,51E+55", "1E+10", "6.5e-7", "-2E+9"])
def test_ids_that_a_spreadsheet_took_for_numbers(name: str) -> None:
    assert damaged(["0a1b2c3d4e", name]) == [name]
    with pytest.raises(InputError, match=r"by a spreadsheet, 1 of 2: .* \(line 8\); .* as text"):
        require(PLACE, ["0a1b2c3d4e", name], [7, 8])


@given(st.text(max_size=8))
def test_what_passes_needs_no_quotes(name: str) -> None:
    """Against the shell's own judgement, and Python's of CSV and of paths."""
    if faults([name]):
        return
    assert shlex.split(name) == [name] and not set(name) & set(",\"'\n\r\\/ ")
    assert Path(name).name == name and Path(f"{name}_mask.png").suffix == ".png"
    if name.isascii():
        assert shlex.quote(name) == name
