"""What the phases of a section need of the rest of params.yaml."""

from collections.abc import Mapping, Sequence

from saltseg.config.model_definitions import ModelDefinition
from saltseg.config.phases import HEADS, SOFT, Best, Mixed, Phase, choice_name


def check_phases(
    section: str,
    phases: Sequence[Phase],
    models: Mapping[str, ModelDefinition],
    pretraining: int,
    batch_size: int,
) -> None:
    """Raise ValueError where the phases of `section` need what the parameters do not have.

    models: those that learn by the phases, by name; pretraining: number of the survey's crops.
    """
    _check_crops(section, phases, pretraining)
    _check_shares(section, phases, batch_size)
    for name, definition in models.items():
        _check_heads(section, phases, name, definition)


def check_kept(section: str, phases: Sequence[Phase]) -> None:
    """Raise ValueError where no phase leaves a snapshot."""
    if not any(phase.keeps for phase in phases):
        raise ValueError(f"{section}.phases: none keeps a snapshot; give one keep: cycle_ends")


def check_teaching(
    rounds: int, soft: bool, taught: Sequence[Phase], learned: Sequence[Phase]
) -> None:
    """Raise ValueError where teachers and members do not go together.

    taught: the phases of the teachers; learned: those of the members.
    """
    _check_rounds(rounds, taught)
    _check_learned(soft, taught, learned)
    _check_watched(taught, learned)


def _check_heads(
    section: str, phases: Sequence[Phase], name: str, definition: ModelDefinition
) -> None:
    """Check that a model has the heads of its losses, and that all its heads are trained."""
    for index, phase in enumerate(phases):
        field = f"{section}.phases.{index}.loss"
        if not set(phase.loss) - {"empty_mask", "deep_supervision"}:
            raise ValueError(f"{field}: needs a loss on pixels too, for example bce")
        for loss in phase.loss:
            if loss in HEADS and not getattr(definition, HEADS[loss], False):
                raise ValueError(f"{field}: {loss} needs models.{name}.{HEADS[loss]}: true")
    # Phases on pseudo-labels alone are left out where there are none.
    always = [phase for phase in phases if phase.data != "pseudolabels"]
    for loss in ("empty_mask", "deep_supervision"):
        head = HEADS[loss]
        if getattr(definition, head, False) and not any(loss in phase.loss for phase in always):
            raise ValueError(
                f"models.{name}.{head}: no phase of {section} weighs the loss {loss} on other data "
                "than pseudolabels"
            )


def _check_crops(section: str, phases: Sequence[Phase], pretraining: int) -> None:
    """Check that the synthetic survey has crops where a phase learns from them."""
    for index, phase in enumerate(phases):
        if phase.data == "survey" and not pretraining:
            raise ValueError(
                f"{section}.phases.{index}.data: survey has no crops; set survey.pretraining to "
                "their number"
            )


def _check_shares(section: str, phases: Sequence[Phase], batch_size: int) -> None:
    """Check that mixed batches hold crops of both kinds."""
    for index, phase in enumerate(phases):
        if isinstance(phase.data, Mixed):
            drawn = round(batch_size * phase.data.share)
            if drawn in (0, batch_size):
                raise ValueError(
                    f"{section}.phases.{index}.data.mixed.share: {phase.data.share} is {drawn} of "
                    f"the {batch_size} crops of a batch (training.batch_size); leave some of both"
                )


def _check_learned(soft: bool, taught: Sequence[Phase], learned: Sequence[Phase]) -> None:
    """Check that members learn from the pseudo-labels, and as they are handed on."""
    learning = [phase for phase in learned if phase.learns_pseudolabels]
    if not learning:
        raise ValueError(
            "pseudolabel.enabled: true, but no phase of train_per_fold learns from pseudo-labels; "
            "give one data: pseudolabels, pooled or {mixed: {share: ...}}"
        )
    learning += [phase for phase in taught if phase.learns_pseudolabels]
    if soft and not any(SOFT & set(phase.loss) for phase in learning):
        raise ValueError(
            "pseudolabel.soft: true changes nothing: no phase that learns from pseudo-labels "
            f"weighs one of the losses {' and '.join(sorted(SOFT))}; set it to false"
        )


def _check_watched(taught: Sequence[Phase], learned: Sequence[Phase]) -> None:
    """Check that a teacher leaves alone the crops that members of its fold watch."""
    watching = [index for index, phase in enumerate(learned) if phase.watches]
    if watching and not any(phase.watches for phase in taught):
        keep = learned[watching[0]].keep
        field = f"keep: {{best: {keep.best}}}" if isinstance(keep, Best) else "schedule: plateau"
        raise ValueError(
            f"train_per_fold.phases.{watching[0]}.{field}: the teacher would learn from the crops "
            "that members watch; give a phase of pseudolabel a plateau, or keep: {best: N}, too"
        )


def _check_rounds(rounds: int, taught: Sequence[Phase]) -> None:
    """Check that teachers learn from pseudo-labels in later rounds, and only there."""
    learning = [index for index, phase in enumerate(taught) if phase.learns_pseudolabels]
    if rounds == 1 and learning:
        raise ValueError(
            f"pseudolabel.phases.{learning[0]}.data: {choice_name(taught[learning[0]].data)} needs "
            "the labels of an earlier round; set pseudolabel.rounds to 2 or more"
        )
    if rounds > 1 and not learning:
        raise ValueError(
            f"pseudolabel.rounds: {rounds} needs a phase with data: pseudolabels, pooled or "
            "{mixed: {share: ...}}"
        )
    if all(phase.data == "pseudolabels" or not phase.keeps for phase in taught):
        raise ValueError(
            "pseudolabel.phases: none of the first round keeps a snapshot; give one keep: "
            "cycle_ends"
        )
