"""Texts that a spreadsheet would take for a formula, in CSV and back.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a return is run by spreadsheets
(https://owasp.org/www-community/attacks/CSV_Injection). In CSV such a text gets one
apostrophe in front, and so does a text that has apostrophes there already: taking one
away is then always right.
"""

import re
from typing import Final

_RISKY: Final = re.compile(r"'*[=+\-@\t\r]")
_SHIELDED: Final = re.compile(r"'+[=+\-@\t\r]")


def shield(text: str) -> str:
    """A text as CSV holds it."""
    return f"'{text}" if _RISKY.match(text) else text


def unshield(text: str) -> str:
    """The text that `shield` was given."""
    return text[1:] if _SHIELDED.match(text) else text
