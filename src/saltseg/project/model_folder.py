"""A trained pipeline as one folder, with all that prediction needs, including the code.

FOLDER/model/params.yaml, model.json, models/MEMBER/FOLD/snapshot_N.safetensors
FOLDER/code/saltseg/...
"""

from pathlib import Path
from typing import Any

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.files import read_json
from saltseg.plumbing.modules import PACKAGE
from saltseg.project.lineage import code_digest

SETTINGS = "model.json"
MANIFEST = "manifest.json"


def find_model(folder: Path) -> Path:
    """Return the folder with the model's settings, in an exported or a logged model.

    Raises InputError if `folder` holds no model.
    """
    candidates = [folder, folder / "model", folder / "data" / "model"]
    found = [each for each in candidates if (each / SETTINGS).is_file()]
    if not found:
        raise InputError(f"{folder}: holds no {SETTINGS}; give the folder of a saltseg model")
    return found[0]


def read_settings(model: Path, *names: str) -> dict[str, Any]:
    """Return the model's settings.

    model: as find_model returns it. Raises InputError if one of `names` is missing.
    """
    settings = read_json(model / SETTINGS)
    missing = [name for name in names if name not in settings]
    if missing:
        raise InputError(f"{model / SETTINGS}: has no {first_few(missing)}; fetch the model again")
    return settings


def own_code(model: Path) -> Path | None:
    """Return the folder with the model's code, or None if it equals the code that is running.

    The model that comes with saltseg has no code of its own: null in its settings.
    model: as find_model returns it. Raises InputError if that code is missing or changed.
    """
    digest = read_settings(model, "code")["code"]
    if digest in (None, code_digest()):
        return None
    places = [model.parent / "code", model.parent.parent / "code"]
    for place in places:
        if code_digest(place / PACKAGE.name) == digest:
            return place
    raise InputError(
        f"{model}: was made by other code, which is missing or changed in {places[-1]}; fetch the"
        " model again, or check out the code of its run"
    )
