"""The run that a model was trained in, as MLflow writes it beside a logged model's files."""

from pathlib import Path

from saltseg.config.yaml_content import read_yaml

_FILE = "MLmodel"
_NAMES = {"run": "run_id", "logged_model": "model_id"}


def model_lineage(model: Path) -> dict[str, str]:
    """Return the ids of the model's run in MLflow, `run`, and of its `logged_model`.

    model: as find_model returns it. Only what is known: nothing of an exported model, nor of the
    one that comes with saltseg. Raises InputError where the file that says it cannot be read.
    """
    path = model.parent.parent / _FILE  # a logged model's data lie in data/model
    if model.parent.name != "data" or not path.is_file():
        return {}
    content = read_yaml(path)
    known = content if isinstance(content, dict) else {}
    return {name: str(known[key]) for name, key in _NAMES.items() if known.get(key)}
