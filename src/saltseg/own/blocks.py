"""Lines of a volume in blocks with gaps: lines beside each other resemble each other."""

from collections.abc import Sequence


def line_blocks(places: Sequence[int], block: int, gap: int) -> dict[int, int]:
    """Return the first place of the block of each place; those that fall into a gap are left out.

    places: of the lines along their axis, rising, counted in lines of the grid. A line that follows
    the last one of a block by more than `gap` lines begins another. A block spans `block` lines at
    most; the lines after it are left out until there is a gap.
    """
    blocks: dict[int, int] = {}
    first = last = None
    for place in places:
        if first is None or last is None or place - last > gap:
            first = place
        elif place - first >= block:
            continue
        blocks[place] = first
        last = place
    return blocks
