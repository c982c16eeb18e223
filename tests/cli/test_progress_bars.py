"""Bars of stages, also of those whose end nobody knows in advance."""

import pytest

from al_service.cli.progress_bars import progress_bars


def test_a_stage_without_a_total_ends_with_what_was_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It ended at `20/?`."""
    with progress_bars() as progress:
        progress("reading the catalog", 20, None)
        progress("computing digests", 1, 2)
        progress("computing digests", 2, 2)
        progress("counting", 7, None)
    shown = capsys.readouterr().err
    assert "20/20" in shown
    assert "2/2" in shown
    assert "7/7" in shown
    assert "?" not in shown
