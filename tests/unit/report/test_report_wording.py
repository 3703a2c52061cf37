import pytest

from stormdraw.report.wording import (
    as_yaml,
    counted,
    digits,
    duration_text,
    plural,
    share_text,
    size_text,
    skill_text,
    units_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.2, "1.20"),
        (0.0123456, "0.0123"),
        (-3.14159, "\N{MINUS SIGN}3.14"),
        (283.4, "283"),
        (98765.4, "98,765"),
        (float("nan"), "\N{EN DASH}"),
    ],
)
def test_three_digits_count(value: float, text: str) -> None:
    assert digits(value) == text


@pytest.mark.parametrize(
    ("skill", "text"),
    [(0.128, "+13"), (-0.05, "\N{MINUS SIGN}5"), (0.004, "0"), (-0.004, "0"), (-12.0, "−1,200")],  # noqa: RUF001
)
def test_skill_carries_its_sign(skill: float, text: str) -> None:
    assert skill_text(skill) == f"{text}\N{NARROW NO-BREAK SPACE}%"


@pytest.mark.parametrize(("share", "text"), [(0.123, "12"), (0.01, "1"), (0.001, "under 1")])
def test_a_small_share_is_not_zero(share: float, text: str) -> None:
    assert share_text(share) == f"{text}\N{NARROW NO-BREAK SPACE}%"


def test_counts_are_grammatical() -> None:
    assert plural(1, "case") == "1 case"
    assert plural(1200, "case") == "1,200 cases"
    assert counted([5, 5], "case") == "5 cases"
    assert counted([4, 5], "case") == "4 to 5 cases"


def test_units_have_raised_exponents() -> None:
    assert units_text("U10") == "m s⁻¹"
    assert units_text("REFC") == "dBZ"


def test_sizes_and_times_have_a_fitting_unit() -> None:
    assert [size_text(n) for n in (512, 2048, 3 * 2**20, 1.5 * 2**30)] == [
        "512 bytes",
        "2 KiB",
        "3 MiB",
        "1.5 GiB",
    ]
    assert [duration_text(s) for s in (45, 750, 11520)] == ["45 s", "12.5 min", "3.2 h"]


def test_yaml_keeps_the_order_of_keys() -> None:
    assert as_yaml({"title": "Zürich", "a": [1]}) == "title: Zürich\na:\n- 1\n"
