import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from saltseg.plumbing.errors import InputError
from saltseg.scoring.submission import (
    check_submission,
    read_masks,
    score_submission,
    write_sample,
    write_submission,
)

IDS = ["b2", "a1", "c3"]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.csv"
    write_sample(path, IDS)
    return path


def some_masks() -> np.ndarray:
    masks = np.zeros((3, 101, 101), bool)
    masks[0, 1:4, 0] = True
    masks[2, :, 100] = True
    return masks


def test_kaggles_exact_form(tmp_path: Path, sample: Path) -> None:
    path = tmp_path / "submission.csv"
    checked = write_submission(path, sample, IDS, some_masks())
    assert path.read_bytes() == b"id,rle_mask\nb2,2 3\na1,\nc3,10101 101\n"
    assert (checked.crops, checked.empty, checked.in_order) == (3, 1, True)
    assert sample.read_bytes() == b"id,rle_mask\nb2,1 1\na1,1 1\nc3,1 1\n"
    assert np.array_equal(read_masks(path, ["c3", "b2"]), some_masks()[[2, 0]])


@pytest.mark.parametrize(
    ("other", "said"), [("zz", "1 id missing: a1"), ("b2", "1 id more than once: b2")]
)
def test_a_refused_submission_leaves_the_one_before(
    tmp_path: Path, sample: Path, other: str, said: str
) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("before")
    with pytest.raises(InputError, match=rf"/submission\.csv: {said}"):
        write_submission(path, sample, ["b2", other, "c3"], some_masks())
    assert path.read_text() == "before"


@pytest.mark.parametrize("text", ["a1,\nb2,2 3\nc3,\n", "b2,2 3\r\na1,\r\nc3,\r\n\r\n"])
def test_order_and_newlines_are_free(tmp_path: Path, sample: Path, text: str) -> None:
    path = tmp_path / "submission.csv"
    path.write_bytes(("id,rle_mask\n" + text).encode())
    checked = check_submission(path, sample)
    assert (checked.crops, checked.empty) == (3, 2)
    assert checked.in_order == text.startswith("b2")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the first line is ''; it must be 'id,rle_mask'"),
        (b"id,rle_mask\n", "has no crops; write a line for each"),
        (b"id,mask\nb2,\n", "the first line is 'id,mask'"),
        (b"id,rle_mask\nb2,\na1,\n", "1 id missing: c3; list exactly the ids"),
        (b"id,rle_mask\nb2,\na1,\nc3,\nd4,\n", r"1 id too many: d4 \(line 5\)"),
        (b"id,rle_mask\nb2,\nx,\nc3,\n", r"1 id missing: a1; 1 id too many: x \(line 3\)"),
        (
            b"id,rle_mask\nb2,\na1,\na1,\nc3,\n",
            r"1 id more than once: a1 \(line 3\), a1 \(line 4\)",
        ),
        (b"id,rle_mask\nb2\na1,\nc3,\n", "1 line without exactly two fields: line 2 has 1"),
        (
            b"id,rle_mask\nb2,\na1,\nc3,1,2\n",
            r"more than the 2 fields of the header in 1 of 3 rows: line 4 has 3 \('c3,1,2'\)",
        ),
        (
            b"id,rle_mask\nb2,\n6.51E+55,\nc3,\n",
            r"turned into a number by a spreadsheet, 1 of 3: '6.51E\+55' \(line 3\); .* as text",
        ),
        (b"id,rle_mask\nb2,\na 1,\nc3,\n", r"cannot be used, 1 of 3: 'a 1' \(line 3, has ' '\)"),
        ("id,rle_mask\nb2,\na1,\nc3,\n".encode("utf-16"), "is UTF-16, not UTF-8"),
        (b"id;rle_mask\nb2;\n", "the first line is 'id;rle_mask'; it must be"),
        (b"id,rle_mask\nb2,\n\na1,\nc3,\n", "line 3 has 0"),
        (b"id,rle_mask\nb2,1 2 3\na1,\nc3,\n", r"line 2 \(b2\): ends with start '3'"),
        (b"id,rle_mask\nb2,\na1,5 1 2 1\nc3,\n", r"line 3 \(a1\): run '2 1' begins before"),
        (b"id,rle_mask\nb2,\na1,1 3 3 1\nc3,\n", "begins before the end"),
        (b"id,rle_mask\nb2,\na1,10201 2\nc3,0 1\n", "2 codes cannot be decoded: .*after the last"),
        (b"id,rle_mask\nb2,1.0 2\na1,\nc3,\n", "'1.0' is not a whole number"),
        (b"id,rle_mask\nb2,\xff\na1,\nc3,\n", "is not UTF-8 at byte 15"),
        (b'id,rle_mask\nb2,"\na1,\nc3,\n', "cannot be read as CSV"),
    ],
)
def test_what_kaggle_would_refuse(tmp_path: Path, sample: Path, content: bytes, said: str) -> None:
    path = tmp_path / "submission.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as raised:
        check_submission(path, sample)
    assert "\n" not in str(raised.value)
    assert "submission.csv" in str(raised.value)


@pytest.mark.parametrize("name", ["submission.csv.gz", "submission.zip"])
def test_a_compressed_submission_with_a_bom(tmp_path: Path, sample: Path, name: str) -> None:
    content = b"\xef\xbb\xbfid,rle_mask\nb2,2 3\na1,\nc3,\n"
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("submission.csv", content)
    assert check_submission(path, sample).crops == 3
    score = score_submission(path, path, np.random.default_rng(0))
    assert (score.mean, score.crops) == (1.0, 3)


def test_leading_zeros_that_a_spreadsheet_dropped(tmp_path: Path) -> None:
    sample, path = tmp_path / "sample.csv", tmp_path / "submission.csv"
    write_sample(sample, ["0012", "1234"])
    path.write_text("id,rle_mask\n12,\n1234,\n")
    with pytest.raises(InputError, match="a spreadsheet dropped the leading zeros of 0012; list"):
        check_submission(path, sample)


def test_a_missing_file(tmp_path: Path, sample: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: there is no such file"):
        check_submission(tmp_path / "none.csv", sample)


def test_score_joins_by_id(tmp_path: Path, sample: Path) -> None:
    truth, path = tmp_path / "truth.csv", tmp_path / "submission.csv"
    truth.write_text("id,rle_mask\nb2,1 10\na1,\nc3,1 1349\n")
    # IoU of 872 / 1349: precision 0.3, the worked example of the competition's facts.
    path.write_text("id,rle_mask\nc3,1 872\nb2,\na1,\n")
    score = score_submission(path, truth, np.random.default_rng(0))
    assert score.mean == pytest.approx((0 + 1 + 0.3) / 3)
    assert score.crops == 3
    assert 0 <= score.low < score.mean < score.high <= 1


def test_the_interval_is_over_mosaics_where_they_are_known(tmp_path: Path) -> None:
    truth, path = tmp_path / "truth.csv", tmp_path / "submission.csv"
    names = [f"c{number:03}" for number in range(64)]
    truth.write_text("id,rle_mask\n" + "".join(f"{name},1 100\n" for name in names))
    # Every other mosaic of eight crops is right: there are eight facts, not 64.
    mosaics = {name: f"m{place // 8}" for place, name in enumerate(names)}
    right = [int(mosaics[name][1]) % 2 for name in names]
    lines = [f"{name},{'1 100' * hit}\n" for name, hit in zip(names, right, strict=True)]
    path.write_text("id,rle_mask\n" + "".join(lines))
    alone, grouped = (
        score_submission(path, truth, np.random.default_rng(0), known) for known in ({}, mosaics)
    )
    assert alone.mean == grouped.mean == 0.5
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
