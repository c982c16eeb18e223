from al_service.randomness import derived_seed, random_key, unit_hash


def test_a_random_key_is_the_same_on_every_machine() -> None:
    # The first eight bytes of `printf '7:SDSS J0001' | sha256sum`.
    assert random_key(7, "SDSS J0001") == 0x7EF0052509F8AAEB


def test_random_keys_fill_the_signed_range_evenly() -> None:
    keys = [random_key(0, f"object {index}") for index in range(4000)]
    positive = sum(key >= 0 for key in keys)
    # Binomial(4000, 1/2): five standard deviations are 158.
    assert abs(positive - 2000) < 158
    assert len(set(keys)) == 4000
    assert -(2**63) <= min(keys) < max(keys) < 2**63


def test_a_unit_hash_never_reaches_one_and_is_uniform() -> None:
    values = [unit_hash(3, "slot", index) for index in range(4000)]
    assert 0.0 <= min(values) < max(values) < 1.0
    # Standard error of the mean of 4000 uniform numbers: 0.0046; five of them.
    assert abs(sum(values) / 4000 - 0.5) < 0.023


def test_seeds_for_different_purposes_differ_and_fit_a_generator() -> None:
    assert derived_seed(1, "network") != derived_seed(1, "control")
    assert derived_seed(1, "network") != derived_seed(2, "network")
    assert 0 <= derived_seed(1, "network") < 2**63
