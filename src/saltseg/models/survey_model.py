"""The model that comes with saltseg: learned from the synthetic survey alone (recipe `survey`).

`saltseg predict --model survey` predicts with it; `weights: survey` starts a network from it. Its
card, beside it, says how it was made and what it is worth.
"""

from saltseg.models.snapshots import Weights, load_weights
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import hash_file
from saltseg.plumbing.modules import PACKAGE

NAME = "survey"

FOLDER = PACKAGE / "packaged" / NAME
"""The model's folder, as saltseg.project.model_folder describes it, without code of its own."""

SNAPSHOT = FOLDER / "models" / "lite2" / "0" / "snapshot_0.safetensors"

MD5 = "904dd01c300b0d3610a80d8a30778116"
"""The snapshot's hash: in the code, so that the code's digest changes when the weights do."""


def survey_weights() -> Weights:
    """Return the weights of the network. Raises InputError if they are not those released."""
    check()
    return load_weights(SNAPSHOT, "install saltseg again")


def check() -> None:
    """Raise InputError if the weights are not those released."""
    if not SNAPSHOT.is_file() or hash_file(SNAPSHOT) != MD5:
        raise InputError(f"{SNAPSHOT}: is missing or damaged; install saltseg again")
