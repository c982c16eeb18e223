"""Where SDSS shows a place in the sky (https://skyserver.sdss.org)."""

from typing import Final
from urllib.parse import urlencode

SKYSERVER: Final = "https://skyserver.sdss.org/dr18"
"""The release whose imaging is the last that SDSS has."""

ARCSEC_PER_PIXEL: Final = 0.2
"""Twice as fine as the camera's 0.396: a galaxy fills some of the picture."""

PIXELS: Final = 512
"""1.7 arcminutes: the field of a slit viewer."""

OPTIONS: Final = "GL"
"""Grid and labels: a scale to find one's way with."""

DIGITS: Final = 6
"""Of degrees: 4 milliarcseconds."""


def navigate_url(ra: float, dec: float) -> str:
    """SkyServer's page to look around a place.

    Args:
        ra: ICRS, degrees.
        dec: ICRS, degrees.
    """
    query = {**_place(ra, dec), "scale": ARCSEC_PER_PIXEL, "opt": OPTIONS}
    return f"{SKYSERVER}/VisualTools/navi?{urlencode(query)}"


def chart_url(ra: float, dec: float) -> str:
    """A finding chart as JPEG, north up, east left.

    Args:
        ra: ICRS, degrees.
        dec: ICRS, degrees.
    """
    query = {
        **_place(ra, dec),
        "scale": ARCSEC_PER_PIXEL,
        "width": PIXELS,
        "height": PIXELS,
        "opt": OPTIONS,
    }
    return f"{SKYSERVER}/SkyServerWS/ImgCutout/getjpeg?{urlencode(query)}"


def _place(ra: float, dec: float) -> dict[str, str]:
    return {"ra": f"{ra:.{DIGITS}f}", "dec": f"{dec:.{DIGITS}f}"}
