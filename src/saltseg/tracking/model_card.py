"""The card of a registered model: what it learned from, what it is worth, when not to trust it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.params import Params, load_params
from saltseg.plumbing.layout import Layout
from saltseg.project.model_folder import read_settings
from saltseg.tracking.run_content import picture
from saltseg.tracking.run_description import Results, describe_scores

_SOURCES = {
    "survey": "crops of the synthetic survey, style `{style}`, seed {seed}",
    "tgs": "crops of the TGS Salt Identification Challenge",
    "own": "crops of its user's own data, `{folder}`",
}
"""What the crops are, by ingest.source."""

_LEARNED = {
    "survey": "It has learned from a generator alone and has seen no real data: on a real survey it"
    " is a first guess.",
    "tgs": "It has learned from the challenge's crops, whose places and surveys are not known.",
    "own": "It has learned from the labels that its user gave, and repeats their habits.",
}

_UNTESTED = {
    "survey": "any survey that the generator did not draw",
    "tgs": "any survey but the challenge's",
    "own": "other surveys, and parts of this one that look unlike the labelled ones",
}

_DISTRUST = (
    "- Do not trust it where `saltseg inspect SURVEY` finds the survey unlike the crops, where the"
    " `disagreement` that `saltseg predict SURVEY` writes is high, or where you see no salt"
    " yourself."
)


def model_card(
    model: Path, results: Results, uri: str, recipe: str, run: str, pictures: Sequence[str]
) -> str:
    """Return the card in Markdown; what the results do not tell is left out.

    model: the model's folder, with its parameters and settings. uri: models:/NAME/VERSION.
    recipe: the recipe as the run's tag names it; "" if it is not known. run: the id of the run.
    pictures: the run's artifacts to show.
    """
    params = load_params(Layout(model).params)
    return "\n\n".join(
        [
            *describe_scores(results),
            *[picture(name, run) for name in pictures],
            "### What it is",
            "\n".join([*_data(params, results), *_networks(params, recipe), *_choices(model)]),
            "### Limits",
            "\n".join(_limits(params, results)),
            "### Use",
            _usage(uri),
        ]
    )


def _data(params: Params, results: Results) -> Iterator[str]:
    source = _SOURCES[params.ingest.source].format(
        style=params.survey.style, seed=params.base.seed, folder=params.ingest.raw_dir
    )
    labelled = results.get("fold-split", {}).get("crops")
    if labelled is not None:
        yield f"- **Data:** {labelled:,} labelled {source}"
    tested = results.get("submit", {}).get("crops")
    if tested is not None:
        also = ", without their truth; those with sure pseudo-labels were trained on"
        yield f"- **Test crops:** {tested:,}{also if params.pseudolabel.enabled else ''}"


def _networks(params: Params, recipe: str) -> Iterator[str]:
    """Name the networks and where they started from."""
    training = params.train_per_fold
    folds = ", ".join(map(str, training.predicting))
    for name in training.members:
        yield f"- **Network:** `{name}`, {_described(params.models[name])}; folds {folds}"
    if recipe:
        yield f"- **Recipe:** {recipe}"


def _described(model: ModelDefinition) -> str:
    """Return family, encoder, starting weights and input of a network."""
    parts = [model.architecture, getattr(model, "encoder", ""), getattr(model, "weights", "")]
    known = [f"{label} `{part}`" for label, part in zip(_PARTS, parts, strict=True) if part]
    return ", ".join([*known, f"reads {', '.join(model.input.channels)}"])


_PARTS = ("architecture", "encoder", "starting weights")


def _choices(model: Path) -> Iterator[str]:
    """Give what was chosen on out-of-fold crops."""
    settings = read_settings(model, "threshold", "salt_size", "hole_size")
    yield f"- **Threshold:** {settings['threshold']:.3f}"
    salt, holes = settings["salt_size"], settings["hole_size"]
    yield (
        f"- **Component sizes:** salt {salt}, holes {holes} pixels; smaller components are removed,"
        " smaller holes are filled"
    )


def _limits(params: Params, results: Results) -> Iterator[str]:
    source = params.ingest.source
    yield f"- {_LEARNED[source]}"
    yield f"- Not tested on: {_UNTESTED[source]}; whole sections, because single crops are scored."
    if "test_score" not in results.get("submit", {}):
        yield "- The truth of the test crops is not at hand, so that there is no score on them."
    search = results.get("threshold-search", {})
    if "calibration_error" in search:
        yield (
            f"- Its probabilities are {search['calibration_error_before']:.3f} off the shares of"
            f" salt (expected calibration error), and {search['calibration_error']:.3f} as"
            " `saltseg predict SURVEY` calibrates them."
        )
    yield "- The interval leaves out how the recipe was chosen, and what another seed would give."
    yield _DISTRUST


def _usage(uri: str) -> str:
    lines = (
        "import saltseg",
        f'model = saltseg.load("{uri}")  # in the project, or with MLFLOW_TRACKING_URI set',
        "found = model.predict(images)  # found.probabilities, found.masks",
    )
    return "\n".join(["```python", *lines, "```"])
