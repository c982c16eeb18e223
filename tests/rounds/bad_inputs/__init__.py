"""Every kind of bad input that an import has to refuse, with what it must say."""

from tests.rounds.bad_inputs import images, rows, spectra, tables
from tests.rounds.bad_inputs.cases import CASES, BadInput

__all__ = ["CASES", "BadInput", "images", "rows", "spectra", "tables"]
