"""Kaggle's submission: writing, checking and scoring it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from saltseg.plumbing.csv_tables import read_csv
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import whole_file, write_text
from saltseg.scoring import ids, metric, rle
from saltseg.scoring.intervals import bootstrap_intervals

HEADER = ["id", "rle_mask"]

_CHUNK = 2000
"""Crops decoded at once: 20 MB of masks."""

_RESAMPLES = 1000


@dataclass(frozen=True)
class Checked:
    """Facts about a valid submission."""

    crops: int
    empty: int
    """Crops without salt."""
    in_order: bool
    """Whether the ids are in the sample submission's order; Kaggle joins by id in any order."""


@dataclass(frozen=True)
class Score:
    """Mean precision over crops, with the 95% interval of a bootstrap over mosaics or over crops.

    gain: how much more it is than that of the first of several submissions, with its interval.
    """

    mean: float
    low: float
    high: float
    crops: int
    gain: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Codes:
    """The lines of a submission: ids, codes and line numbers."""

    path: Path
    ids: list[str]
    codes: list[str]
    lines: list[int]

    def ordered(self, names: Sequence[str]) -> "Codes":
        """Return the lines in the order of `names`, which are the same ids."""
        place = {name: index for index, name in enumerate(self.ids)}
        order = [place[name] for name in names]
        codes = [self.codes[index] for index in order]
        return Codes(self.path, [*names], codes, [self.lines[index] for index in order])

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
    """Write a submission in Kaggle's format, checked against `sample` before it replaces `path`.

    Unix newlines, and an empty field for no salt. masks: bool, shape (len(ids), 101, 101), in the
    order of `ids`; without crops the header stands alone. Raises ValueError where the two differ in
    number, InputError where the check finds a fault; what was at `path` then stays.
    """
    with whole_file(path) as temporary:
        write_masks(temporary, ids, masks)
        if not len(ids):
            return Checked(0, 0, in_order=True)
        return check_submission(temporary, sample, named=path)


def write_masks(path: Path, ids: Sequence[str], masks: npt.NDArray[np.bool_]) -> None:
    """Write masks, bool (len(ids), h, w), in the form of a submission, without a check."""
    lines = [f"{name},{code}\n" for name, code in zip(ids, rle.encode(masks), strict=True)]
    write_text(path, "".join([",".join(HEADER) + "\n", *lines]))


def write_sample(path: Path, ids: Sequence[str]) -> None:
    """Write a sample submission as Kaggle does: the first pixel is salt in every crop."""
    write_text(path, ",".join(HEADER) + "\n" + "".join(f"{name},1 1\n" for name in ids))


def check_submission(path: Path, sample: Path, named: Path | None = None) -> Checked:
    """Check that Kaggle will accept the submission at `path`: the ids of `sample`, valid codes.

    named: name of the submission in error messages, if not `path`. Raises InputError that counts
    the faults and names the first lines or ids.
    """
    codes, expected = read_codes(path, named), read_codes(sample)
    check_ids(codes, expected, "the sample submission")
    for _ in codes.masks():
        pass
    empty = sum(not code.strip() for code in codes.codes)
    return Checked(len(codes.ids), empty, in_order=codes.ids == expected.ids)


def score_submission(
    path: Path,
    truth: Path,
    generator: np.random.Generator,
    mosaics: Mapping[str, str] = MappingProxyType({}),
) -> Score:
    """Score a submission against a file of the same format with the true masks.

    generator: draws the bootstrap's resamples, of whole mosaics. mosaics: that of each id; a crop
    without one is its own, which makes the interval too narrow where crops are neighbours.
    Raises InputError as check_submission does.
    """
    return score_submissions([path], truth, generator, mosaics)[0]


def score_submissions(
    paths: Sequence[Path],
    truth: Path,
    generator: np.random.Generator,
    mosaics: Mapping[str, str] = MappingProxyType({}),
) -> list[Score]:
    """Score submissions on the same crops; see score_submission. Gains are of paired crops."""
    true = read_codes(truth)
    scores = [_crop_scores(path, true) for path in paths]
    gains = [each - scores[0] for each in scores]
    groups = [mosaics.get(name, name) for name in true.ids]
    intervals = bootstrap_intervals([*scores, *gains], groups, _RESAMPLES, generator)
    return [
        Score(float(score.mean()), *own, len(score), (float(gain.mean()), *more))
        for score, gain, own, more in zip(
            scores, gains, intervals[: len(paths)], intervals[len(paths) :], strict=True
        )
    ]


def _crop_scores(path: Path, true: Codes) -> metric.Scores:
    predicted = read_codes(path)
    check_ids(predicted, true, "the truth")
    parts = zip(predicted.ordered(true.ids).masks(), true.masks(), strict=True)
    return np.concatenate([metric.precision(*part) for part in parts])


def read_masks(path: Path, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return the masks of some crops of a submission or truth: bool, shape (len(ids), 101, 101)."""
    codes = read_codes(path)
    known = dict(zip(codes.ids, codes.codes, strict=True))
    return rle.decode([known[name] for name in ids])


def read_codes(path: Path, named: Path | None = None) -> Codes:
    """Read a file of ids and codes. Raises InputError if it is anything else.

    named: name of the file in error messages, if not `path`.
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
            f" {first_few(short)}; write 'id,rle_mask' with one comma, even without salt"
        )
    if not table.rows:
        raise InputError(f"{path}: has no crops; write a line for each below the header")
    names, encoded = ([row[field] for row in table.rows] for field in range(len(HEADER)))
    codes = Codes(path, names, encoded, table.lines)
    ids.require(path, codes.ids, codes.lines)
    _check_twice(codes)
    return codes


def _check_twice(codes: Codes) -> None:
    counts = Counter(codes.ids)
    seen = zip(codes.lines, codes.ids, strict=True)
    twice = [f"{name} (line {line})" for line, name in seen if counts[name] > 1]
    if twice:
        names = sum(count > 1 for count in counts.values())
        raise InputError(
            f"{codes.path}: {_counted(names, 'id')} more than once: {first_few(twice)};"
            " keep one line for each"
        )


def check_ids(codes: Codes, expected: Codes, source: str) -> None:
    """Raise InputError if the two do not have the same ids."""
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
