"""Training: deterministic, stoppable, and leaving no trace outside."""

from dataclasses import replace

import numpy as np
import pyro
import pytest
import torch

from al_service.errors import RunStopped
from al_service.models.network import Network
from al_service.posterior.features import extract
from al_service.posterior.fitting import (
    TrainingSet,
    _galaxies,
    _taught,
    fit_network,
)
from al_service.posterior.teaching import fit_head
from al_service.survey.targets import DEFAULT_TARGETS
from tests.posterior.galaxies import TINY, survey, training_set


def fitted(training: TrainingSet, seed: int = 1, target: str = "z") -> Network:
    return fit_network(training, targets=(target,), config=TINY, seed=seed)


def fuse_of(network: Network) -> torch.Tensor:
    return network.module.get_parameter("fuse.weight")


def test_the_same_seed_gives_the_same_network_bit_for_bit() -> None:
    training = training_set(80)
    one, other = fitted(training), fitted(training)
    for (name, a), b in zip(
        one.module.state_dict().items(), other.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name
    np.testing.assert_array_equal(one.noise_scale, other.noise_scale)
    third = fitted(training, seed=2)
    assert not torch.equal(fuse_of(one), fuse_of(third))


def test_training_neither_reads_nor_moves_anything_global() -> None:
    torch.manual_seed(5)
    pyro.get_param_store().clear()
    before = torch.random.get_rng_state()
    network = fitted(training_set(40))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert list(pyro.get_param_store()) == []
    torch.manual_seed(6)
    again = fitted(training_set(40))
    assert torch.equal(fuse_of(network), fuse_of(again))


def test_a_run_that_should_stop_stops_and_progress_only_grows() -> None:
    seen: list[float] = []
    with pytest.raises(RunStopped, match="of 60 steps"):
        fit_network(
            training_set(40),
            targets=("z",),
            config=TINY,
            seed=1,
            progress=seen.append,
            should_stop=lambda: len(seen) >= 2,
        )
    assert len(seen) == 2
    seen.clear()
    fit_network(
        training_set(40), targets=("z",), config=TINY, seed=1, progress=seen.append
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_it_learns_what_the_colors_tell_for_all_nine_targets() -> None:
    training = training_set(300, DEFAULT_TARGETS)
    network = fit_network(
        training,
        targets=DEFAULT_TARGETS,
        config=TINY.model_copy(update={"min_steps": 200}),
        seed=1,
    )
    inputs, truth = survey(300, seed=9)
    head = fit_head(
        network, extract(network, training.inputs), training.values, training.errors
    )
    predicted = head.predict(extract(network, inputs)).mean
    # The offsets are constants, the rest follows z and the SFR.
    left = np.mean((predicted - truth) ** 2, axis=0) / np.var(truth, axis=0)
    assert (left < 0.3).all(), dict(zip(DEFAULT_TARGETS, left, strict=True))


def test_values_that_are_unknown_teach_nothing() -> None:
    training = training_set(60, ("z", "sfr_median"))
    holes = training.values.copy()
    holes[::2, 1] = np.nan
    gaps = replace(training, values=holes)
    network = fit_network(gaps, targets=("z", "sfr_median"), config=TINY, seed=1)
    known = extract(network, gaps.inputs)
    head = fit_head(network, known, gaps.values, gaps.errors)
    assert head.n_labels.tolist() == [60, 30]
    assert np.isfinite(head.predict(known).mean).all()


def test_a_target_without_any_label_stays_at_its_prior() -> None:
    training = training_set(40, ("z", "sfr_median"))
    values = training.values.copy()
    values[:, 1] = np.nan
    network = fit_network(
        replace(training, values=values),
        targets=("z", "sfr_median"),
        config=TINY,
        seed=1,
    )
    known = extract(network, training.inputs)
    predicted = fit_head(network, known, values, training.errors).predict(known)
    assert np.isfinite(predicted.total_spread).all()
    assert (predicted.mean[:, 1] == 0.0).all()


def test_one_label_is_enough_to_run_and_none_is_refused() -> None:
    network = fitted(training_set(1))
    assert np.isfinite(extract(network, survey(5)[0]).phi).all()
    with pytest.raises(ValueError, match="at least one"):
        fitted(training_set(0))


def test_objects_without_photometry_are_predicted_from_the_token() -> None:
    training = training_set(40)
    network = fitted(training)
    inputs, _ = survey(3)
    blind = replace(
        inputs,
        photometry=np.full_like(inputs.photometry, np.nan),
        has_photometry=np.zeros(3, dtype=bool),
    )
    features = extract(network, blind)
    assert np.isfinite(features.phi).all()
    np.testing.assert_array_equal(features.phi[0], features.phi[1])
    assert features.patterns.tolist() == [0, 0, 0]


def test_a_member_sees_a_galaxy_whole_or_not_at_all() -> None:
    """Noise was measured on second spectra of galaxies that a member had seen."""
    names = np.array([f"galaxy {row // 2}" for row in range(80)])
    training = replace(training_set(80), group_ids=names)
    taught = _taught(_galaxies(training), TINY)
    np.testing.assert_array_equal(taught[:, ::2], taught[:, 1::2])
    assert (~taught).sum(dim=1).tolist() == [12, 12]  # 15 % of 40 galaxies, twice
    assert not (~taught).all(dim=0).any()


def test_galaxies_of_one_observation_are_the_default() -> None:
    training = training_set(40)
    named = replace(training, group_ids=np.array([f"{row}" for row in range(40)]))
    one, other = fitted(training), fitted(named)
    assert torch.equal(fuse_of(one), fuse_of(other))
