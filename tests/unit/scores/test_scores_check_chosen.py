"""Which case and which fields are checked."""

from collections import Counter

from stormdraw.scores.check.chosen import chosen_case, chosen_fields

INITS = [f"20260608{hour:02d}" for hour in range(24)]
NAMES, LEADS = ["REFC", "T2M", "CIN"], [1, 2, 3, 6]


def always(init: str) -> bool:
    return True


def test_systems_and_seeds_have_cases_of_their_own() -> None:
    chosen = Counter(
        chosen_case(seed, f"s{number}", INITS, always) for seed in (1, 2) for number in range(99)
    )
    # 198 draws of 24: each case is there, none much more often than others.
    assert set(chosen) == set(INITS)
    assert max(chosen.values()) < 25


def test_more_cases_seldom_change_the_choice() -> None:
    """It changes only to a case that is new."""
    for number in range(50):
        before, after = (
            chosen_case(1, f"s{number}", inits, always) for inits in (INITS[:20], INITS)
        )
        assert after == before or after in INITS[20:]


def test_a_case_without_files_is_chosen_only_if_none_has_some() -> None:
    """Of files of others, on two days of a month: else most checks would be of nothing."""
    held = {"2026060803", "2026060817"}
    chosen = {chosen_case(1, f"s{number}", INITS, held.__contains__) for number in range(20)}
    assert chosen == held
    assert chosen_case(1, "s", INITS, lambda init: False) == chosen_case(1, "s", INITS, always)


def test_all_fields_are_checked_where_that_is_cheap() -> None:
    everything = [(name, lead) for name in NAMES for lead in LEADS]
    assert chosen_fields(1, "a", NAMES, LEADS, 12) == everything
    assert chosen_fields(1, "a", NAMES, LEADS, 99) == everything


def test_each_variable_is_there_before_one_is_there_twice() -> None:
    for most in range(1, 12):
        chosen = chosen_fields(1, "a", NAMES, LEADS, most)
        assert len(set(chosen)) == most
        counts = [sum(name == own for own, _ in chosen) for name in NAMES]
        assert max(counts) - min(counts) <= 1
    leads = {lead for seed in range(20) for _, lead in chosen_fields(seed, "a", NAMES, LEADS, 1)}
    assert leads == set(LEADS)
