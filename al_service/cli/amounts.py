"""Sizes and durations as people say them."""

from typing import Final

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0


def in_bytes(size: float) -> str:
    """A size as people say it: 12.3 MB."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError  # the last unit takes every size


def in_time(seconds: float) -> str:
    """A duration as people say it: 12 s, 3 min, 4.5 h."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"
