"""Checks of phases against the rest of params.yaml."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from saltseg.config.model_definitions import Input, ModelDefinition
from saltseg.config.phases import HEADS, SOFT, Best, Mixed, Phase, choice_name


def check_phases(
    section: str,
    phases: Sequence[Phase],
    models: Mapping[str, ModelDefinition],
    pretraining: int,
    batch_size: int,
) -> None:
    """Raise ValueError if the phases of `section` need something that the parameters lack.

    models: those that the phases train, by name; pretraining: number of the survey's crops.
    """
    _check_crops(section, phases, pretraining)
    _check_shares(section, phases, batch_size)
    for name, definition in models.items():
        _check_heads(section, phases, name, definition)
        _check_inputs(section, phases, definition)


def phase_input(definition: ModelDefinition, phase: Phase) -> Input:
    """Return the input of a definition in a phase, which may have another size.

    Raises ValidationError where that size does not suit the definition.
    """
    if phase.input is None:
        return definition.input
    return Input.model_validate(definition.input.model_dump() | phase.input.model_dump())


def check_kept(section: str, phases: Sequence[Phase]) -> None:
    """Raise ValueError if no phase keeps a snapshot."""
    if not any(phase.keeps for phase in phases):
        raise ValueError(f"{section}.phases: none keeps a snapshot; give one keep: cycle_ends")


def check_teaching(
    rounds: int, soft: bool, teacher: Sequence[Phase], member: Sequence[Phase]
) -> None:
    """Raise ValueError if the phases of teachers and members do not fit together."""
    _check_rounds(rounds, teacher)
    _check_use(soft, teacher, member)
    _check_inner_validation(teacher, member)


def _check_heads(
    section: str, phases: Sequence[Phase], name: str, definition: ModelDefinition
) -> None:
    """Check that a model has the heads of its losses, and that all its heads are trained."""
    for index, phase in enumerate(phases):
        field = f"{section}.phases.{index}.loss"
        if not set(phase.loss) - {"empty_mask", "deep_supervision"}:
            raise ValueError(f"{field}: needs a pixel loss too, for example bce")
        for loss in phase.loss:
            if loss in HEADS and not getattr(definition, HEADS[loss], False):
                raise ValueError(f"{field}: {loss} needs models.{name}.{HEADS[loss]}: true")
    # Phases on pseudo-labels alone are skipped if there are none.
    always = [phase for phase in phases if phase.data != "pseudolabels"]
    for loss in ("empty_mask", "deep_supervision"):
        head = HEADS[loss]
        if getattr(definition, head, False) and not any(loss in phase.loss for phase in always):
            raise ValueError(
                f"models.{name}.{head}: no phase of {section} uses the loss {loss} on data other "
                "than pseudolabels"
            )


def _check_inputs(section: str, phases: Sequence[Phase], definition: ModelDefinition) -> None:
    """Check that a model's crops can be brought to the sizes of the phases."""
    for index, phase in enumerate(phases):
        try:
            phase_input(definition, phase)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"{section}.phases.{index}.input.{reason}") from error


def _check_crops(section: str, phases: Sequence[Phase], pretraining: int) -> None:
    """Check that the synthetic survey has crops if a phase learns from them."""
    for index, phase in enumerate(phases):
        if phase.data == "survey" and not pretraining:
            raise ValueError(
                f"{section}.phases.{index}.data: survey has no crops; set survey.pretraining to "
                "the number of crops to generate"
            )


def _check_shares(section: str, phases: Sequence[Phase], batch_size: int) -> None:
    """Check that mixed batches contain crops of both kinds."""
    for index, phase in enumerate(phases):
        if isinstance(phase.data, Mixed):
            drawn = round(batch_size * phase.data.share)
            if drawn in (0, batch_size):
                raise ValueError(
                    f"{section}.phases.{index}.data.mixed.share: {phase.data.share} is {drawn} of "
                    f"the {batch_size} crops of a batch (training.batch_size); both kinds are "
                    "needed"
                )


def _check_use(soft: bool, teacher: Sequence[Phase], member: Sequence[Phase]) -> None:
    """Check that members learn from the pseudo-labels, and that soft ones have an effect."""
    learning = [phase for phase in member if phase.learns_pseudolabels]
    if not learning:
        raise ValueError(
            "pseudolabel.enabled: true, but no phase of train_per_fold learns from pseudo-labels; "
            "give one data: pseudolabels, pooled or {mixed: {share: ...}}"
        )
    learning += [phase for phase in teacher if phase.learns_pseudolabels]
    if soft and not any(SOFT & set(phase.loss) for phase in learning):
        raise ValueError(
            "pseudolabel.soft: true has no effect: no phase that learns from pseudo-labels "
            f"uses one of the losses {' and '.join(sorted(SOFT))}; set it to false"
        )


def _check_inner_validation(teacher: Sequence[Phase], member: Sequence[Phase]) -> None:
    """Check that teachers do not learn from the inner-validation crops of members."""
    using = [index for index, phase in enumerate(member) if phase.uses_inner_validation]
    if using and not any(phase.uses_inner_validation for phase in teacher):
        keep = member[using[0]].keep
        field = f"keep: {{best: {keep.best}}}" if isinstance(keep, Best) else "schedule: plateau"
        raise ValueError(
            f"train_per_fold.phases.{using[0]}.{field}: the teacher would learn from the crops "
            "that members validate on; give a phase of pseudolabel a plateau, or keep: {best: N}, "
            "too"
        )


def _check_rounds(rounds: int, teacher: Sequence[Phase]) -> None:
    """Check that teachers learn from pseudo-labels if, and only if, there are several rounds."""
    learning = [index for index, phase in enumerate(teacher) if phase.learns_pseudolabels]
    if rounds == 1 and learning:
        raise ValueError(
            f"pseudolabel.phases.{learning[0]}.data: {choice_name(teacher[learning[0]].data)} "
            "needs the labels of an earlier round; set pseudolabel.rounds to 2 or more"
        )
    if rounds > 1 and not learning:
        raise ValueError(
            f"pseudolabel.rounds: {rounds} needs a phase with data: pseudolabels, pooled or "
            "{mixed: {share: ...}}"
        )
    if all(phase.data == "pseudolabels" or not phase.keeps for phase in teacher):
        raise ValueError(
            "pseudolabel.phases: none that runs in the first round keeps a snapshot; give one "
            "keep: cycle_ends"
        )
