from itertools import product

from stormdraw.seeds import generator_for, seed_for


def test_seed_depends_on_every_label():
    labels = list(product(["a", "b"], ["2026060806", "2026060912"], range(50), range(1, 4)))
    assert len({seed_for(1, *label) for label in labels} | {seed_for(2, *labels[0])}) == 601


def test_labels_do_not_run_together():
    assert seed_for(1, 2, 3) != seed_for(1, 23)


def test_seed_fits_a_signed_64_bit_integer():
    assert all(0 <= seed_for(0, number) < 2**63 for number in range(1000))


def test_neighbouring_members_are_uncorrelated():
    draws = [generator_for(1, "perfect", member).standard_normal(10_000) for member in (0, 1)]
    correlation = (draws[0] * draws[1]).mean()
    assert abs(correlation) < 4 / 100  # four standard errors of 10,000 products
