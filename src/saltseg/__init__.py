"""saltseg: a reproducible pipeline that learns to find salt in seismic images.

    import saltseg

    found = saltseg.load("models:/saltseg@champion").predict(array)
    saltseg.score(found.masks, truth)

These names are the public interface; `saltseg.rle` and `saltseg.survey` are modules. Each is
imported when it is first used, so that `import saltseg` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saltseg import survey
    from saltseg.plumbing.errors import InputError
    from saltseg.scoring import rle
    from saltseg.scoring.mean_score import score
    from saltseg.serving.loaded_model import load

__version__ = "0.2.0"

__all__ = ["InputError", "__version__", "load", "rle", "score", "survey"]

_PLACES = {
    "InputError": "saltseg.plumbing.errors",
    "load": "saltseg.serving.loaded_model",
    "score": "saltseg.scoring.mean_score",
}
"""The module of each public function and class."""

_MODULES = {"rle": "saltseg.scoring.rle", "survey": "saltseg.survey"}
"""The public modules."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'saltseg' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names that completion shows."""
    return __all__
