"""The weights that a training keeps: its snapshots, and the best epoch of a plateau."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from saltseg.config.phases import Best, Phase
from saltseg.config.rate_schedules import Plateau
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Epoch, Score, best_epochs, is_over
from saltseg.models.snapshots import Weights


@dataclass
class KeptEpochs:
    """Weights of finished epochs, by epoch number."""

    weights: dict[int, Weights] = field(default_factory=dict)
    candidate: int | None = None
    """The epoch whose weights a running plateau would restore, unless it is a snapshot already."""

    @property
    def snapshots(self) -> dict[int, Weights]:
        """The snapshots so far, oldest first."""
        return {number: held for number, held in self.weights.items() if number != self.candidate}

    def end_epoch(
        self, phase: Phase, epoch: Epoch, learner: Learner, scores: Sequence[Score]
    ) -> None:
        """Keep the epoch's weights where due; at a plateau's end restore the best in `learner`.

        scores: inner-validation scores of the phase's epochs so far, including this one. A phase
        without inner validation keeps the epochs that the plan says.
        """
        if epoch.snapshot:
            self.weights[epoch.number] = learner.copy_weights()
        if not phase.uses_inner_validation:
            return
        first = epoch.number + 1 - len(scores)
        count = phase.keep.best if isinstance(phase.keep, Best) else 1
        self._keep(first, {first + at for at in best_epochs(scores, count)}, epoch, learner)
        if isinstance(phase.schedule, Plateau):
            best = first + scores.index(max(scores))
            self.candidate = None if isinstance(phase.keep, Best) else best
            if is_over(phase, scores):
                self._end_plateau(phase, epoch, learner, best)

    def _keep(self, first: int, best: set[int], epoch: Epoch, learner: Learner) -> None:
        """Keep only the weights of the epochs `best` of the phase that begins with `first`."""
        held = self.weights.items()
        self.weights = {number: w for number, w in held if number < first or number in best}
        if epoch.number in best:
            self.weights[epoch.number] = learner.copy_weights()

    def _end_plateau(self, phase: Phase, epoch: Epoch, learner: Learner, best: int) -> None:
        """Restore the best epoch's weights, which also count as those of the end of the cycle."""
        learner.load_weights(self.weights[best])
        if self.candidate is not None:
            weights = self.weights.pop(self.candidate)
            self.candidate = None
            if phase.keeps:
                self.weights[epoch.number] = weights
