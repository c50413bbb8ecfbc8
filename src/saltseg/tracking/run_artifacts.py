"""The stages' plots as artifacts of the pipeline's run, sorted into folders by subject."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from PIL import Image

from saltseg.plumbing.files import visible
from saltseg.reports.charts import chart

Artifacts = dict[str, bytes]
"""Contents of files by path."""

Curve = Sequence[tuple[int, float]]
"""Epochs and scores. With a plateau schedule, folds may have different epochs."""

_PLACES = {
    "ingest/crops.png": "contact-sheets/training_crops.png",
    "postprocess-connected-components/worst.png": "contact-sheets/worst_out_of_fold.png",
    "submit/predictions.png": "contact-sheets/test_predictions.png",
    "submit/pseudolabels_*.png": "contact-sheets/{name}",
    "train-per-fold/*/*/history.csv": "curves/{1}_fold_{2}.csv",
    "threshold-search/curve.*": "curves/threshold{suffix}",
    "postprocess-connected-components/by_*.csv": "errors/{name}",
    "postprocess-connected-components/lost_by_mask.csv": "errors/{name}",
    "coverage-stratify/*.png": "crops/{name}",
    "fold-split/class_balance.png": "crops/folds.png",
}
"""Artifact path of the files of results/plots; {1} is the second part of their path."""


_THUMBNAILS = {
    "contact-sheets/test_predictions.png": 820,
    "curves/*_folds.png": 405,
    "curves/threshold.png": 405,
}
"""Widths in pixels: MLflow's page does not scale pictures, and cuts off wide ones."""


def gather(plots: Path, places: Iterable[str]) -> Artifacts:
    """Read the files in `plots`, results/plots, of the stages' items such as "ingest", "a/0"."""
    found: Artifacts = {}
    for place in places:
        for path in visible(plots / place, "*"):
            name = _place(PurePosixPath(path.relative_to(plots).as_posix()))
            if name:
                found[name] = path.read_bytes()
    return found


def complete(artifacts: Artifacts) -> Artifacts:
    """Add a chart of all folds for each member, and thumbnails for the run's description."""
    whole = artifacts | _fold_charts(artifacts)
    small = {
        f"thumbnails/{PurePosixPath(name).name}": _shrunk(content, width)
        for pattern, width in _THUMBNAILS.items()
        for name, content in whole.items()
        if PurePosixPath(name).match(pattern)
    }
    return whole | small


def read_lines(content: bytes) -> list[dict[str, str]]:
    """Read a CSV table as one mapping per line."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def _place(path: PurePosixPath) -> str | None:
    for pattern, name in _PLACES.items():
        if path.match(pattern) and len(path.parts) == pattern.count("/") + 1:
            return name.format(*path.parts, name=path.name, suffix=path.suffix)
    return None


def _fold_charts(artifacts: Artifacts) -> Artifacts:
    members: dict[str, dict[str, Curve]] = {}
    for name, content in artifacts.items():
        member, found, fold = PurePosixPath(name).stem.rpartition("_fold_")
        if found and name.startswith("curves/"):
            curve = [
                (int(line["epoch"]), float(line["validation_score"]))
                for line in read_lines(content)
                if line["validation_score"]
            ]
            if curve:
                members.setdefault(member, {})[f"fold {fold}"] = curve
    return {f"curves/{name}_folds.png": _drawn(name, folds) for name, folds in members.items()}


def _drawn(member: str, folds: Mapping[str, Curve]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "folds.png")
        title = f"Held-out folds of {member}"
        with chart(path, "epoch", "score at 0.5", title) as axes:
            for name, curve in folds.items():
                axes.plot(*zip(*curve, strict=True), label=name)
        return path.read_bytes()


def _shrunk(content: bytes, width: int) -> bytes:
    """Return a PNG no wider than `width` pixels."""
    picture = Image.open(io.BytesIO(content))
    picture.thumbnail((width, picture.height), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
