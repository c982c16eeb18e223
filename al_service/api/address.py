"""Where this version of the API lies."""

from typing import Final

PREFIX: Final = "/api/v1"
