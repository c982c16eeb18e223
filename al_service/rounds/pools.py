"""Pools: arrays on disk become rows in the database, visible all at once."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from al_service.errors import Conflict, CorruptArtifact, NotFound
from al_service.survey import sdss10k
from al_service.survey.atomic_folder import manifest_digest
from al_service.survey.pool_objects import PoolObjects
from al_service.survey.splits import split_of
from db.repositories import pools
from db.repositories.pools import NewObject
from db.tables import Pool
from db.vocabulary import Split

POOLS_FOLDER: Final = "pools"
"""Folder of the pools' arrays inside the artifacts folder."""

BUILTIN_SEED: Final = 0
"""Decides which galaxies of a built-in pool examine: the same ones everywhere."""

REPORT_EVERY: Final = 1000
"""Rows between two reports: a millisecond of writing."""

logger = logging.getLogger(__name__)


def ensure_builtin_pools(session: Session, artifacts: Path) -> None:
    """Register the pools that exist everywhere, unless they are there already.

    Arrays are written before the first statement, so that no transaction is open
    meanwhile; of several callers at once one registers and the others wait for it.

    Args:
        session: fresh; the caller commits.
        artifacts: folder of arrays and checkpoints.
    """
    folder = f"{POOLS_FOLDER}/{sdss10k.POOL_NAME}"
    path = artifacts / folder
    if not path.is_dir():
        sdss10k.write_sdss10k(path)
    known = pools.find_visible(session, sdss10k.POOL_NAME)
    if known is None:
        register_pool(
            session,
            sdss10k.POOL_NAME,
            artifacts=artifacts,
            folder=folder,
            seed=BUILTIN_SEED,
        )
    elif known.manifest_digest != (found := manifest_digest(path)):
        raise CorruptArtifact(path, str(known.manifest_digest), found)


def import_pool(
    session: Session, name: str, *, artifacts: Path, folder: str, seed: int
) -> Pool:
    """Register a new pool whose arrays were written; refuse a name that is taken."""
    if not register_pool(session, name, artifacts=artifacts, folder=folder, seed=seed):
        raise Conflict(f"a pool named {name!r} exists already: choose another name")
    return find_pool(session, name)


def register_pool(
    session: Session,
    name: str,
    *,
    artifacts: Path,
    folder: str,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> bool:
    """Write the rows of a pool and publish it by one UPDATE.

    Args:
        session: the caller commits; until then nobody sees anything.
        name: how campaigns address the pool.
        artifacts: folder of arrays and checkpoints.
        folder: the pool's arrays, relative to it.
        seed: decides the split of every galaxy.
        progress: told how many rows are written, and of how many.

    Returns:
        False where the name is taken; nothing was written then.
    """
    pool_objects = PoolObjects(artifacts / folder)
    torn = _torn_groups(pool_objects, seed)
    pool_id = pools.start_import(
        session,
        name,
        seed=seed,
        arrays=folder,
        modalities=pool_objects.modalities,
        known_targets=pool_objects.targets,
    )
    if pool_id is None:
        return False
    objects = _objects(pool_objects, seed, torn)
    rows = _reporting(objects, len(pool_objects), progress)
    count = pools.copy_objects(session, pool_id, rows)
    pools.publish(
        session,
        pool_id,
        manifest_digest=manifest_digest(artifacts / folder),
        n_objects=count,
    )
    logger.info("pool %s published: %d objects", name, count)
    return True


def list_pools(session: Session) -> list[Pool]:
    """Every pool that campaigns may use, by name."""
    return pools.list_visible(session)


def find_pool(session: Session, name: str) -> Pool:
    """The pool of a name; one that is still being filled is not found."""
    pool = pools.find_visible(session, name)
    if pool is None:
        raise NotFound("pool", name)
    return pool


def _objects(pool: PoolObjects, seed: int, torn: set[str]) -> Iterator[NewObject]:
    """Objects with their splits, by the galaxies that a catalog declares, if it does.

    Objects of galaxies that a catalog declares different, but that are found at one
    place, are excluded where the declared galaxies stand on different sides.
    """
    row = 0
    for part in pool.parts():
        for k, group in enumerate(part.group_ids):
            split = split_of(seed, part.declared_groups[k])
            yield NewObject(
                object_id=part.object_ids[k],
                group_id=group,
                ra=part.ra[k],
                dec=part.dec[k],
                row=row + k,
                has_photometry=part.flags["photometry"][k],
                has_image=part.flags["image"][k],
                has_spectrum=part.flags["spectrum"][k],
                split=Split.EXCLUDED if group in torn else Split(split),
            )
        row += len(part.group_ids)


def _torn_groups(pool: PoolObjects, seed: int) -> set[str]:
    """Galaxies that were joined across the split; each is named as one of its parts."""
    if not pool.is_declared:
        return set()
    return {
        group
        for part in pool.parts()
        for group, declared in zip(part.group_ids, part.declared_groups, strict=True)
        if group != declared and split_of(seed, group) != split_of(seed, declared)
    }


def _reporting(
    objects: Iterator[NewObject], total: int, progress: Callable[[int, int], None]
) -> Iterator[NewObject]:
    for done, one in enumerate(objects):
        if done % REPORT_EVERY == 0:
            progress(done, total)
        yield one
    progress(total, total)
