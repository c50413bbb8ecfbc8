"""A snapshot of a trained model, kept as a file of weights/ for another training to start from.

An alias such as models:/saltseg@champion moves; the file does not. Its name holds its hash, params
name the file, and DVC tracks weights/: a run that starts from it can be repeated.
"""

import sys
from pathlib import Path

from saltseg.config.params import load_params
from saltseg.config.sections import MOST_FOLDS
from saltseg.models import survey_model
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import hash_file, read_json, whole_file
from saltseg.plumbing.layout import Layout
from saltseg.project.lineage import raw_data
from saltseg.project.model_folder import MANIFEST, find_model
from saltseg.serving.image_prediction import fetched


def keep_weights(model: str, member: str | None, fold: int | str | None, root: Path) -> Path:
    """Copy a model's last snapshot of one member and fold into weights/; return the file.

    model: as predict_files takes it, or a .safetensors file. member, fold: the first if None.
    Raises InputError where the model has no such member and fold.
    """
    path = Path(model)
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; name a snapshot or a model")
        return _kept(path, path.stem, root)
    with fetched(model, root, f"saltseg weights {survey_model.NAME}") as folder:
        found = find_model(folder)
        snapshot = _snapshot(found, member, fold)
        _warn_of_own_crops(found, root)
        return _kept(snapshot, snapshot.parent.parent.name, root)


def _warn_of_own_crops(model: Path, root: Path) -> None:
    """Warn if the model learned from the crops that the project's parameters name now.

    It has learned all folds but its own, so no fold's score would be out-of-fold.
    """
    learned = read_json(model / MANIFEST).get("raw") if (model / MANIFEST).exists() else None
    layout = Layout(root)
    try:
        here = raw_data(root, load_params(layout.params))
    except InputError:
        return  # no crops here to have learned from
    if learned == here:
        print(
            "saltseg: the model learned from the crops that params.yaml names; a training on them "
            "that starts from it is scored on folds it has seen: start it on other crops",
            file=sys.stderr,
        )


def _snapshot(model: Path, member: str | None, fold: int | str | None) -> Path:
    models = Layout(model).models
    members = sorted(path.name for path in models.iterdir() if path.is_dir())
    chosen = _chosen(model, "member", members, member)
    folds = sorted((path.name for path in (models / chosen).iterdir()), key=_numbered)
    folder = models / chosen / _chosen(model, "fold", folds, None if fold is None else str(fold))
    return max(folder.glob("snapshot_*.safetensors"), key=lambda path: int(path.stem[9:]))


def _numbered(fold: str) -> tuple[int, str]:
    """Sort numbers by their value, and `all` behind them."""
    return (int(fold), "") if fold.isdecimal() else (MOST_FOLDS, fold)


def _chosen(model: Path, kind: str, known: list[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in known:
        raise InputError(f"{model}: has no {kind} {wanted}; name one of {first_few(known, 20)}")
    return known[0] if wanted is None else wanted


def _kept(snapshot: Path, name: str, root: Path) -> Path:
    target = Layout(root).weights / f"{name}-{hash_file(snapshot)[:8]}.safetensors"
    if not target.exists():
        with whole_file(target) as temporary:
            temporary.write_bytes(snapshot.read_bytes())
    return target
