"""Which epochs' weights a training keeps: its snapshots, and the best one of a plateau."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from saltseg.config.phases import Best, Phase, Plateau
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Epoch, Score, best_epochs, is_over
from saltseg.models.snapshots import Weights


@dataclass
class KeptEpochs:
    """Weights of epochs that have ended, by the number of the epoch."""

    weights: dict[int, Weights] = field(default_factory=dict)
    candidate: int | None = None
    """The epoch that a plateau under way would go back to, where it is no snapshot yet."""

    @property
    def snapshots(self) -> dict[int, Weights]:
        """The snapshots so far, the oldest first."""
        return {number: held for number, held in self.weights.items() if number != self.candidate}

    def end_epoch(
        self, phase: Phase, epoch: Epoch, learner: Learner, scores: Sequence[Score]
    ) -> None:
        """Keep what the epoch leaves; at a plateau's end let `learner` go back to its best weights.

        scores: of the phase's epochs so far, this one included, by the watched crops; a phase that
        watches none keeps the epochs that the plan says.
        """
        if epoch.snapshot:
            self.weights[epoch.number] = learner.copy_weights()
        if not phase.watches:
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
        """Keep the weights of the epochs `best`, and of no others of the phase from `first` on."""
        held = self.weights.items()
        self.weights = {number: w for number, w in held if number < first or number in best}
        if epoch.number in best:
            self.weights[epoch.number] = learner.copy_weights()

    def _end_plateau(self, phase: Phase, epoch: Epoch, learner: Learner, best: int) -> None:
        """Go back to the best epoch's weights; they are those of the cycle's end, too."""
        learner.go_back(self.weights[best])
        if self.candidate is not None:
            weights = self.weights.pop(self.candidate)
            self.candidate = None
            if phase.keeps:
                self.weights[epoch.number] = weights
