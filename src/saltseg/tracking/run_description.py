"""The Markdown description of a pipeline's run: its score, and where its errors are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from saltseg.reports.summary import score_in
from saltseg.tracking.run_artifacts import read_lines
from saltseg.tracking.run_content import picture
from saltseg.tracking.run_report import REPORT

Results = Mapping[str, Any]
"""Contents of the metrics files by "STAGE" or "STAGE/PART/PART"."""

_CLEANING = "postprocess-connected-components"

_TABLES = {
    "errors/by_coverage.csv": "By coverage: class k is coverage up to k tenths",
    "errors/by_depth.csv": "By depth: bins of 100 ft, named by their top",
    "errors/by_mask.csv": "By kind of mask",
}


_MEASURES = {
    "score_before": "score before cleaning",
    "score": "score",
    "iou": "IoU",
    "boundary_distance": "boundary distance, pixels",
}
"""Columns of the error tables, and their headings."""


def description(results: Results, artifacts: Mapping[str, bytes], run: str) -> str:
    """Describe a run; results that its stages have not made yet are left out.

    artifacts: the run's artifacts by path. run: its id, for links to its pictures.
    """
    return "\n\n".join(
        [
            *describe_scores(results),
            *_pictures(artifacts, run),
            *_parts(results),
            *_errors(artifacts),
            *_guide(artifacts),
        ]
    )


def describe_scores(results: Results) -> Iterator[str]:
    """Give the nested score and, if the truth is known, the score on the test crops."""
    submitted, cleaned = results.get("submit", {}), results.get(_CLEANING, {})
    parts = results.get("threshold-search", {}).get("parts", "parts")
    if "score" not in cleaned:
        return
    yield f"## Score {score_in(cleaned, 'score')}"
    if "locked_folds" in cleaned:
        yield f"It is that of the locked folds, {cleaned['locked_folds']}, left out by ablations."
    if "test_score" in submitted:
        known = score_in(submitted, "test_score")
        yield f"On the test crops, whose truth trained and chose nothing: **{known}**."
    yield (
        "The score is the competition's: the share of the IoU thresholds 0.50, 0.55 to 0.95 that"
        f" a crop's mask exceeds, averaged over {cleaned['crops']} out-of-fold crops. Threshold and"
        f" component sizes were chosen on other {parts}. The interval is a bootstrap over mosaics."
    )


def _pictures(artifacts: Mapping[str, bytes], run: str) -> Iterator[str]:
    """Show thumbnails in the description itself."""
    small = [name for name in artifacts if name.startswith("thumbnails/")]
    if small:
        # MLflow's page renders a newline as a line break.
        yield " ".join(picture(name, run) for name in small)


def _parts(results: Results) -> Iterator[str]:
    """Give the ensemble's score on each part of the crops.

    If the parts are folds, also each single member's, at threshold 0.5 after its last epoch.
    """
    search = results.get("threshold-search", {})
    scores: Mapping[str, float] = search.get("score_by_part", {})
    if not scores:
        return
    folds = search.get("parts") == "folds"
    yield f"### By {'fold' if folds else 'part of the mosaics'}, before cleaning"
    members = _members(results) if folds else []
    lines = [
        [part, f"{search['threshold_by_part'][part]:.3f}", f"{score:.4f}"]
        + [_alone(results, member, part) for member in members]
        for part, score in scores.items()
    ]
    head = ["fold" if folds else "part", "threshold", "score"]
    yield _table([*head, *(f"{each} alone" for each in members)], lines)


def _members(results: Results) -> list[str]:
    trained = [name.split("/")[1] for name in results if name.startswith("train-per-fold/")]
    return list(dict.fromkeys(trained))


def _alone(results: Results, member: str, fold: str) -> str:
    value = results.get(f"train-per-fold/{member}/{fold}", {}).get("validation_score")
    return "" if value is None else f"{value:.4f}"


def _errors(artifacts: Mapping[str, bytes]) -> Iterator[str]:
    """Give the mean measures of each kind of crop, with the number of crops."""
    for name, title in _TABLES.items():
        lines = read_lines(artifacts[name]) if name in artifacts else []
        if lines:
            yield f"### {title}"
            kind = next(iter(lines[0]))
            rows = [
                [line[kind], line["crops"], *(_number(line[name]) for name in _MEASURES)]
                for line in lines
            ]
            yield _table([kind.replace("_", " "), "crops", *_MEASURES.values()], rows)


def _number(text: str) -> str:
    return f"{float(text):.4f}" if text else "-"


def _guide(artifacts: Mapping[str, bytes]) -> Iterator[str]:
    """List the artifacts and what is in them."""
    folders = {
        REPORT.partition("/")[0]: "the whole run on one page: download it, or look at it here",
        "contact-sheets": "test predictions, the worst crops, pseudo-labels, training crops",
        "curves": "score over epochs for each fold, score over thresholds",
        "errors": "the tables above, as CSV",
        "crops": "coverage and depth of the crops, and the balance of the folds",
    }
    kept = {name.partition("/")[0] for name in artifacts}
    lines = [f"- `{name}`: {what}" for name, what in folders.items() if name in kept]
    if lines:
        yield "### Artifacts to look at"
        yield "\n".join([*lines, "- `record`: everything needed to reproduce the run"])


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    spaced = [f"&emsp;{each}" for each in head]  # MLflow's page leaves no space between columns
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in [spaced, rule, *lines])
