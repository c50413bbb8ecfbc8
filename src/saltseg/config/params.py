"""The whole of params.yaml: its sections, checks across sections, and reading it."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.phase_checks import check_kept, check_phases, check_teaching
from saltseg.config.schema import ALL, Fold, Name, Section, describe_findings
from saltseg.config.sections import (
    Base,
    CoverageStratify,
    FoldSplit,
    Ingest,
    PostprocessConnectedComponents,
    PseudoLabel,
    Runtime,
    SnapshotEnsemble,
    Submit,
    Survey,
    ThresholdSearch,
    Training,
    TrainPerFold,
)
from saltseg.config.yaml_content import read_yaml
from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.layout import Layout


class Params(Section):
    """The whole of params.yaml."""

    base: Base
    runtime: Runtime
    ingest: Ingest
    survey: Survey
    coverage_stratify: CoverageStratify
    fold_split: FoldSplit
    models: dict[Name, ModelDefinition] = Field(min_length=1)
    """Model definitions by name."""
    training: Training
    pseudolabel: PseudoLabel
    train_per_fold: TrainPerFold
    snapshot_ensemble: SnapshotEnsemble
    threshold_search: ThresholdSearch
    postprocess_connected_components: PostprocessConnectedComponents
    submit: Submit

    @property
    def used_models(self) -> dict[str, ModelDefinition]:
        """The definitions of the members and, if enabled, of the teacher, by name."""
        teacher = [self.pseudolabel.teacher] if self.pseudolabel.enabled else []
        return {name: self.models[name] for name in [*teacher, *self.train_per_fold.members]}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Check how the sections fit together."""
        _check_names("pseudolabel.teacher", [self.pseudolabel.teacher], list(self.models))
        _check_names("train_per_fold.members", self.train_per_fold.members, list(self.models))
        _check_fold_count(self)
        _check_mosaics(self)
        folds = list(range(self.fold_split.n_folds))
        _check_names("fold_split.locked", self.fold_split.locked, folds)
        _check_names("train_per_fold.folds", self.train_per_fold.folds, [*folds, ALL])
        if not self.train_per_fold.held_out:
            raise ValueError(
                "train_per_fold.folds: all holds no crop out to choose a threshold on; give a"
                " fold's number too"
            )
        _check_outside(self)
        self._check_section("train_per_fold", self.train_per_fold.members)
        check_kept("train_per_fold", self.train_per_fold.phases)
        if self.pseudolabel.enabled:
            self._check_section("pseudolabel", [self.pseudolabel.teacher])
            teacher, member = self.pseudolabel.phases, self.train_per_fold.phases
            check_teaching(self.pseudolabel.rounds, self.pseudolabel.soft, teacher, member)
        self._check_warm_start()
        if self.threshold_search.low >= self.threshold_search.high:
            raise ValueError("threshold_search.low: must be below threshold_search.high")
        return self

    def _check_warm_start(self) -> None:
        """Check that there is a teacher, whose weights every member can take."""
        settings = self.pseudolabel
        if not settings.warm_start:
            return
        if not settings.enabled:
            raise ValueError(
                "pseudolabel.warm_start: true, but no teacher is trained; set pseudolabel.enabled"
                " to true"
            )
        for member in self.train_per_fold.members:
            if self.models[member] != self.models[settings.teacher]:
                raise ValueError(
                    f"pseudolabel.warm_start: models.{member} differs from that of the teacher,"
                    f" models.{settings.teacher}, whose weights it would take; make them equal"
                )

    def _check_section(self, section: str, networks: list[str]) -> None:
        """Check the phases of a section, which train `networks`."""
        models = {name: self.models[name] for name in networks}
        phases, size = getattr(self, section).phases, self.training.batch_size
        check_phases(section, phases, models, self.survey.pretraining, size)


def _check_fold_count(params: Params) -> None:
    """Check that a survey has a crop for each fold; for other sources, fold-split checks it."""
    crops, folds = params.survey.train, params.fold_split.n_folds
    if params.ingest.source == "survey" and folds > crops:
        raise ValueError(
            f"fold_split.n_folds: {folds} folds are more than the {crops} crops of survey.train;"
            " use fewer folds or more crops"
        )


def _check_mosaics(params: Params) -> None:
    """Check that mosaics that are known, not guessed, stay whole."""
    strategy = params.fold_split.strategy
    if params.ingest.source == "own" and strategy != "coverage_grouped":
        raise ValueError(
            f"fold_split.strategy: {strategy} would cut images and lines apart; take"
            " coverage_grouped with ingest.source: own"
        )


def _check_outside(params: Params) -> None:
    """Check the names of members that are trained and of those that come from outside."""
    members, outside = params.train_per_fold.members, params.snapshot_ensemble.outside
    field = "snapshot_ensemble.outside"
    _check_names(field, outside, outside)
    both = [name for name in outside if name in members]
    if both:
        raise ValueError(f"{field}: {both[0]!r} is a member that is trained; rename the folder")
    weights = list(params.snapshot_ensemble.member_weights)
    _check_names("snapshot_ensemble.member_weights", weights, [*members, *outside])
    if params.snapshot_ensemble.greedy_weights and (weights or len([*members, *outside]) == 1):
        why = "member_weights are given" if weights else "there is a single member"
        raise ValueError(f"snapshot_ensemble.greedy_weights: true, but {why}; set it to false")


def _check_names(field: str, given: list[Any], allowed: list[Any]) -> None:
    unknown = [item for item in given if item not in allowed]
    if unknown:
        raise ValueError(f"{field}: {unknown[0]!r} is not one of {first_few(allowed, 20)}")
    if len(set(given)) < len(given):
        raise ValueError(f"{field}: {given} lists one twice")


def check_fold(fold: Fold, params: Params, layout: Layout) -> None:
    """Raise InputError if params.yaml does not define the fold."""
    count = params.fold_split.n_folds
    if fold != ALL and fold not in range(count):
        raise InputError(
            f"{layout.params}: fold_split.n_folds: there is no fold {fold}; use one of 0 to "
            f"{count - 1}"
        )


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises InputError naming the file, the first invalid field, its value and what is allowed.
    """
    return parse_params(read_yaml(path), str(path))


def parse_params(content: object, source: str) -> Params:
    """Check parameters read from `source`; see load_params for the errors."""
    if not isinstance(content, dict):
        raise InputError(f"{source}: has no sections; write it with 'saltseg recipe NAME'")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{source}: {describe_findings(error, Params, content)}") from error
