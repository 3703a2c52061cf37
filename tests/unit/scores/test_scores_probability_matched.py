import numpy as np
import pytest

from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean


def test_three_members_by_hand() -> None:
    members = np.array([[0.0, 0.0, 9.0], [0.0, 6.0, 0.0], [3.0, 3.0, 0.0]])
    # Means 1, 3, 3; pooled 0 0 0 | 0 0 3 | 3 6 9, of which the middle ones are 0, 0, 6.
    np.testing.assert_array_equal(probability_matched_mean(members), [0.0, 0.0, 6.0])


def test_order_of_the_mean_and_values_of_the_members(random: np.random.Generator) -> None:
    members = random.gamma(0.5, 10.0, (7, 900))
    matched = probability_matched_mean(members)
    np.testing.assert_array_equal(np.argsort(matched), np.argsort(members.mean(axis=0)))
    # The mean has lost its peaks, the matched one has as many as a member.
    assert members.mean(axis=0).std() < 0.6 * members.std()
    np.testing.assert_allclose(matched.std(), members.std(), rtol=0.02)


def test_one_member_is_its_own_matched_mean(random: np.random.Generator) -> None:
    member = random.normal(size=(1, 50))
    np.testing.assert_array_equal(probability_matched_mean(member), member[0])


def test_member_order_does_not_matter(random: np.random.Generator) -> None:
    members = random.normal(size=(5, 80))
    np.testing.assert_array_equal(
        probability_matched_mean(members), probability_matched_mean(members[::-1])
    )


def test_points_that_do_not_count_do_not_change_the_matched_mean(
    random: np.random.Generator,
) -> None:
    members = random.normal(size=(5, 60))
    valid = random.uniform(size=60) < 0.7
    members[2, ~valid] = np.nan
    found = probability_matched_mean(members, valid)
    np.testing.assert_array_equal(found[valid], probability_matched_mean(members[:, valid]))
    assert (found[~valid] == 0.0).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_parts_sorted_by_threads_give_what_one_sort_gives(
    count: int, threads: int, random: np.random.Generator
) -> None:
    # Most values are the same, as below a floor, and parts are not equally long.
    members = np.maximum(random.normal(size=(count, 37)), 0.5).astype(np.float32)
    kept = np.sort(members, axis=None)[count // 2 :: count]
    expected = np.empty(37, np.float32)
    expected[np.argsort(members.sum(axis=0, dtype=np.float64), kind="stable")] = kept
    found = probability_matched_mean(members, threads=threads)
    np.testing.assert_array_equal(found, expected)
