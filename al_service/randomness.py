"""Randomness that anybody can recompute: hashes of a seed and names, no state."""

import hashlib

_KEY_BYTES = 8
_SPARE_BITS = 11
"""A float64 carries 53 of the 64 bits; more would round up to 1."""


def _digest(seed: int, *names: object) -> bytes:
    text = ":".join(str(part) for part in (seed, *names))
    return hashlib.sha256(text.encode()).digest()


def random_key(seed: int, object_id: str) -> int:
    """The fixed random key of an object in a campaign.

    PostgreSQL computes the same number (`db/repositories/candidates.py`).

    Args:
        seed: the campaign's seed.
        object_id: the object's identifier in its pool.

    Returns:
        A signed 64-bit integer, uniform over its range.
    """
    return int.from_bytes(_digest(seed, object_id)[:_KEY_BYTES], "big", signed=True)


def unit_hash(seed: int, *names: object) -> float:
    """A number in [0, 1) that depends only on the seed and the names."""
    key = int.from_bytes(_digest(seed, *names)[:_KEY_BYTES], "big")
    return (key >> _SPARE_BITS) * 2.0**-53


def derived_seed(seed: int, *names: object) -> int:
    """A seed for one named purpose, independent of those for other purposes.

    Returns:
        An integer in [0, 2**63), fit for `numpy` and `torch` generators.
    """
    return int.from_bytes(_digest(seed, *names)[:_KEY_BYTES], "big") >> 1
