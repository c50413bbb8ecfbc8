"""Kaggle's submission: writing, checking and scoring it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.csv_tables import read_csv
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import whole_file, write_text
from saltseg.scoring import ids, metric, rle
from saltseg.scoring.intervals import bootstrap_interval

HEADER = ["id", "rle_mask"]

_CHUNK = 2000
"""Crops that are decoded at once: 20 MB of mask."""

_RESAMPLES = 1000


@dataclass(frozen=True)
class Checked:
    """What is said of a submission that is right."""

    crops: int
    empty: int
    """Crops without salt."""
    in_order: bool
    """The ids stand as in the sample submission; Kaggle joins by id and asks for no order."""


@dataclass(frozen=True)
class Score:
    """Mean precision over crops, with the 95% interval of a bootstrap over crops."""

    mean: float
    low: float
    high: float
    crops: int


@dataclass(frozen=True)
class _Codes:
    """The lines of a submission: ids, codes, and where in the file they stand."""

    path: Path
    ids: list[str]
    codes: list[str]
    lines: list[int]

    def masks(self) -> Iterator[npt.NDArray[np.bool_]]:
        """Yield the masks in parts. Raises InputError that names lines with wrong codes."""
        for start in range(0, len(self.codes), _CHUNK):
            yield self._decoded(start)

    def _decoded(self, start: int) -> npt.NDArray[np.bool_]:
        try:
            return rle.decode(self.codes[start : start + _CHUNK])
        except rle.CodeError as error:
            faults = [
                f"line {self.lines[start + place]} ({self.ids[start + place]}): {fault}"
                for place, fault in error.faults.items()
            ]
            raise InputError(
                f"{self.path}: {_counted(len(faults), 'code')} cannot be decoded:"
                f" {first_few(faults, 3)}; write column-major runs counted from 1, sorted,"
                " without overlap"
            ) from error


def write_submission(
    path: Path, sample: Path, ids: Sequence[str], masks: npt.NDArray[np.bool_]
) -> Checked:
    """Write a submission in Kaggle's form, checked against `sample` before it takes its place.

    Unix newlines, and an empty field for no salt. masks: bool, shape (len(ids), 101, 101), in the
    order of `ids`. Raises ValueError where the two differ in number, InputError where the check
    finds a fault; what was at `path` then stays.
    """
    lines = [f"{name},{code}\n" for name, code in zip(ids, rle.encode(masks), strict=True)]
    with whole_file(path) as temporary:
        text = "".join([",".join(HEADER) + "\n", *lines])
        temporary.write_text(text, encoding="utf-8", newline="")
        return check_submission(temporary, sample, named=path)


def write_sample(path: Path, ids: Sequence[str]) -> None:
    """Write a sample submission as Kaggle does: the first pixel is salt in every crop."""
    write_text(path, ",".join(HEADER) + "\n" + "".join(f"{name},1 1\n" for name in ids))


def check_submission(path: Path, sample: Path, named: Path | None = None) -> Checked:
    """Check that Kaggle will take the submission at `path`: the ids of `sample`, valid codes.

    named: what errors call the submission; `path` without it. Raises InputError that counts what
    is wrong and names the first lines or ids.
    """
    codes, expected = _read(path, named), _read(sample)
    _check_ids(codes, expected, "the sample submission")
    for _ in codes.masks():
        pass
    empty = sum(not code.strip() for code in codes.codes)
    return Checked(len(codes.ids), empty, in_order=codes.ids == expected.ids)


def score_submission(path: Path, truth: Path, generator: np.random.Generator) -> Score:
    """Score a submission against a file of the same form that holds the true masks.

    generator: draws the bootstrap's resamples. Raises InputError as check_submission does.
    """
    predicted, true = _read(path), _read(truth)
    _check_ids(predicted, true, "the truth")
    place = {name: index for index, name in enumerate(predicted.ids)}
    order = [place[name] for name in true.ids]
    ordered = _Codes(
        path,
        true.ids,
        [predicted.codes[index] for index in order],
        [predicted.lines[index] for index in order],
    )
    parts = zip(ordered.masks(), true.masks(), strict=True)
    scores = np.concatenate([metric.precision(*part) for part in parts])
    low, high = bootstrap_interval(scores, true.ids, _RESAMPLES, generator)
    return Score(float(scores.mean()), low, high, len(scores))


def read_masks(path: Path, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return the masks of some crops of a submission or truth: bool, shape (len(ids), 101, 101)."""
    codes = _read(path)
    known = dict(zip(codes.ids, codes.codes, strict=True))
    return rle.decode([known[name] for name in ids])


def _read(path: Path, named: Path | None = None) -> _Codes:
    """Read a file of ids and codes. Raises InputError for anything that is no such table.

    named: what errors call it, where that is not its path.
    """
    table = read_csv(path, named)
    path = named or path
    if table.header != HEADER:
        found = ",".join(table.header)
        raise InputError(f"{path}: the first line is {found[:60]!r}; it must be 'id,rle_mask'")
    table.refuse_extra_fields()
    short = [
        f"line {line} has {len(row)}"
        for line, row in zip(table.lines, table.rows, strict=True)
        if len(row) < len(HEADER)
    ]
    if short:
        raise InputError(
            f"{path}: {_counted(len(short), 'line')} without exactly two fields:"
            f" {first_few(short)}; write 'id,rle_mask' with one comma, also where no salt is"
        )
    if not table.rows:
        raise InputError(f"{path}: holds no crops; write a line for each below the header")
    names, masks = ([row[field] for row in table.rows] for field in range(len(HEADER)))
    codes = _Codes(path, names, masks, table.lines)
    ids.require(path, codes.ids, codes.lines)
    _check_twice(codes)
    return codes


def _check_twice(codes: _Codes) -> None:
    counts = Counter(codes.ids)
    seen = zip(codes.lines, codes.ids, strict=True)
    twice = [f"{name} (line {line})" for line, name in seen if counts[name] > 1]
    if twice:
        names = sum(count > 1 for count in counts.values())
        raise InputError(
            f"{codes.path}: {_counted(names, 'id')} more than once: {first_few(twice)};"
            " keep one line for each"
        )


def _check_ids(codes: _Codes, expected: _Codes, source: str) -> None:
    """Raise InputError where the two don't hold the same ids."""
    given, wanted = set(codes.ids), set(expected.ids)
    missing = [name for name in expected.ids if name not in given]
    placed = zip(codes.lines, codes.ids, strict=True)
    extra = [f"{name} (line {line})" for line, name in placed if name not in wanted]
    findings = []
    if missing:
        findings.append(f"{_counted(len(missing), 'id')} missing: {first_few(missing)}")
    if extra:
        findings.append(f"{_counted(len(extra), 'id')} too many: {first_few(extra)}")
    if findings:
        width = max(map(len, expected.ids))
        zeros = sorted(set(missing) & {name.zfill(width) for name in given - wanted})
        if zeros:
            findings.append(f"a spreadsheet dropped the leading zeros of {first_few(zeros)}")
        raise InputError(
            f"{codes.path}: {'; '.join(findings)}; list exactly the ids of {source},"
            f" {expected.path}"
        )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
