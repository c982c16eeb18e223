"""Every system that there is: whatever a module of `systems/` names in `SYSTEMS`.

A new model is a new file there; nothing else changes.
"""

import pkgutil
from functools import cache
from importlib import import_module

from al_service.errors import InvalidInput
from al_service.studies.experiment import systems
from al_service.studies.experiment.system import Family, System


@cache
def all_systems() -> dict[str, System]:
    """Name to system, family by family, in the order of their names in the files."""
    found: list[System] = []
    for module in sorted(pkgutil.iter_modules(systems.__path__), key=lambda m: m.name):
        found += import_module(f"{systems.__name__}.{module.name}").SYSTEMS
    families = list(Family)
    ordered = sorted(found, key=lambda system: families.index(system.family))
    names = [system.name for system in ordered]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InvalidInput(f"expected one system of every name, found two of {twice}")
    return {system.name: system for system in ordered}


def system_named(name: str) -> System:
    """One system.

    Raises:
        InvalidInput: there is none of this name.
    """
    known = all_systems()
    if name not in known:
        raise InvalidInput(
            f"expected systems out of {', '.join(known)}, found {name!r}"
        )
    return known[name]


def runnable(modalities: tuple[str, ...], *, has_latents: bool) -> tuple[str, ...]:
    """Names of the systems that can look at a pool.

    Args:
        modalities: what objects of the pool can have.
        has_latents: whether a simulator made it and kept what it made it from.
    """
    return tuple(
        name
        for name, system in all_systems().items()
        if set(system.inputs) <= set(modalities)
        and (has_latents or system.family is not Family.CEILING)
    )
