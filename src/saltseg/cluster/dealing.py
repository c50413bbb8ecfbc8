"""Pieces of work dealt out among actors on the nodes of a cluster.

Each actor holds at most HELD pieces at a time, and a piece is an index, so that neither this
process nor Ray's object store grows with the work. Pieces of an actor that dies are dealt again.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from saltseg.cluster.node import unpacked
from saltseg.cluster.ray_cluster import RayCluster, Share
from saltseg.plumbing.errors import InputError

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

HELD = 2
"""Pieces that an actor holds: the one it works at, and the next."""

_ATTEMPTS = 5
"""Actors that a piece may lose before the work fails: it may be what kills them."""

_TICK = 1.0


class Dealer:
    """Deals pieces out among actors, one for each share of the cluster.

    An actor has the methods `ready` and `work`, which take nothing and a piece, and answer in
    messages of cluster.node: `done`, or `failed` with the reason.
    """

    def __init__(
        self, cluster: RayCluster, share: Share, kind: type, arguments: tuple[object, ...]
    ) -> None:
        """Start the actors. kind: their class, with these arguments, equal for all."""
        self._cluster, self._share, self._arguments = cluster, share, arguments
        self._kind = kind
        self._starting: dict[ObjectRef[bytes], ActorHandle[Any]] = {}
        self._actors: list[ActorHandle[Any]] = []
        self._held: dict[ObjectRef[bytes], tuple[ActorHandle[Any], Any]] = {}
        self._lost: Counter[Any] = Counter()
        self._fill()

    def deal(self, pieces: Sequence[Any]) -> Iterator[Any]:
        """Have each piece done once, in any order; yield each when it is done.

        Raises InputError with the reason that a node tells.
        """
        import ray

        left = deque(pieces)
        while left or self._held:
            self._hand_out(left)
            found, _ = ray.wait([*self._held, *self._starting], timeout=_TICK)
            if not found:
                self._fill()  # nodes may have joined
            for answer in found:
                if self._takes_up(answer):
                    continue
                actor, piece = self._held.pop(answer)
                if self._answered(answer):
                    yield piece
                else:
                    self._drop(actor)
                    self._count_loss(piece)
                    left.append(piece)

    def _hand_out(self, left: "deque[Any]") -> None:
        for actor in self._actors:
            held = sum(actor is other for other, _ in self._held.values())
            for _ in range(min(HELD - held, len(left))):
                piece = left.popleft()
                self._held[actor.work.remote(piece)] = (actor, piece)

    def _takes_up(self, answer: "ObjectRef[bytes]") -> bool:
        """Return whether this is a first answer of an actor, which then takes pieces."""
        actor = self._starting.pop(answer, None)
        if actor is None:
            return False
        if self._answered(answer):
            self._actors.append(actor)
        else:
            self._count_loss(None)
        return True

    def _answered(self, answer: "ObjectRef[bytes]") -> bool:
        """Return whether a piece is done; False if its actor died."""
        import ray

        try:
            message = unpacked(ray.get(answer))
        except ray.exceptions.RayTaskError as error:
            raise InputError(f"a node failed: {str(error).strip().splitlines()[-1]}") from error
        except ray.exceptions.RayError:
            return False
        if message["kind"] == "failed":
            raise InputError(str(message["reason"]))
        return True

    def _drop(self, actor: "ActorHandle[Any]") -> None:
        """Forget an actor that died; its other pieces fail likewise."""
        if actor in self._actors:
            self._actors.remove(actor)

    def _count_loss(self, piece: object) -> None:
        self._lost[piece] += 1
        if self._lost[piece] >= _ATTEMPTS:
            raise InputError(f"{piece}: its process died {_ATTEMPTS} times; see 'ray status'")

    def _fill(self) -> None:
        """Start actors where the cluster has room."""
        import ray

        wanted = max(self._cluster.places(self._share), 1)
        for _ in range(wanted - len(self._actors) - len(self._starting)):
            options = self._share.options()
            actor: Any = ray.remote(self._kind).options(**options).remote(*self._arguments)
            self._starting[actor.ready.remote()] = actor
