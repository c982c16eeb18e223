"""Files that something has happened to on their way."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Damage = list[tuple[float, int, bytes]]
"""Where in the file, how many bytes are lost, and what stands there instead."""


def damages(*pieces: bytes, longest: int, most_lost: int) -> st.SearchStrategy[Damage]:
    """Up to four places that are damaged.

    Args:
        pieces: what means something in some format; noise comes besides.
        longest: bytes of noise.
        most_lost: bytes at one place.
    """
    written = st.one_of(st.binary(max_size=longest), st.sampled_from(pieces))
    places = st.tuples(st.floats(0, 1), st.integers(0, most_lost), written)
    return st.lists(places, min_size=1, max_size=4)


def damaged(content: bytes, damage: Damage) -> bytes:
    """The content with its damage, one place after the other."""
    for where, lost, piece in damage:
        place = int(where * len(content))
        content = content[:place] + piece + content[place + lost :]
    return content


def examples(count: int) -> settings:
    """The same so many examples every time, however long one takes."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
