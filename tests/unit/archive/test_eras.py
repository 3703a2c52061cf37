"""What there was when: asked for at another time, it is refused before anything is fetched.

Versions of HRRR: NWS TIN 14-32 (15 h from 2014-09-30 on), SCN 18-58, and Dowell et al. (2022),
doi:10.1175/WAF-D-21-0151.1.
"""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from archive_mirror import settings

from stormdraw.archive.base_model import base_model
from stormdraw.archive.herbie_library import herbie
from stormdraw.archive.public import FIRST_RUNS, earliest
from stormdraw.archive.settings import HerbieSource
from stormdraw.archive.truth import truth
from stormdraw.errors import StormdrawError
from stormdraw.membership import published_hours

MIRROR = {"source": {"mirror": "elsewhere"}}


def a_case(start: str, lead: int, archive: dict, **system):
    """A run with one case and one system."""
    init = datetime.fromisoformat(start)
    before = init - timedelta(days=9)
    periods = {
        "training": {"start": before, "end": before + timedelta(hours=1)},
        "test": {"start": init, "end": init + timedelta(hours=lead)},
    }
    systems = [{"name": "x", **system}]
    return settings(periods=periods, leads=[lead], archive=archive, ensembles={"systems": systems})


@pytest.mark.parametrize(
    ("start", "longest"),
    [
        ("2014-10-01T00", 15),
        ("2016-08-23T11", 15),
        ("2016-08-23T12", 18),
        ("2018-07-12T06", 18),
        ("2018-07-12T12", 36),
        ("2018-07-12T13", 18),
        ("2020-12-02T06", 36),
        ("2020-12-02T12", 48),
        ("2020-12-02T15", 18),
        ("2026-06-01T18", 48),
    ],
)
def test_how_long_hrrr_ran(start, longest):
    start = datetime.fromisoformat(start)
    assert base_model("hrrr").run(start).longest_lead == longest
    assert base_model("hrrr").run(start + timedelta(hours=5), age=5).longest_lead == longest


@pytest.mark.parametrize(
    ("start", "lead", "reached"),
    [
        ("2017-06-01T00", 18, True),
        ("2017-06-01T00", 42, False),
        ("2019-06-01T00", 36, True),
        ("2019-06-01T00", 42, False),
        ("2021-06-01T00", 42, True),
    ],
)
@pytest.mark.parametrize("kind", ["hrrr", "lagged"])
def test_hrrrs_forecasts_are_as_long_as_they_were(start, lead, reached, kind):
    wanted = {"method": "baseline", "kind": kind}
    if kind == "lagged":
        # The run of six hours before must be that much longer.
        wanted, lead = {**wanted, "ages": [0, 6]}, lead - 6
    if reached:
        assert a_case(start, lead, MIRROR, **wanted)
    else:
        with pytest.raises(StormdrawError, match=rf"systems\.0: x takes .*{lead} h.*18 h from ev"):
            a_case(start, lead, MIRROR, **wanted)


def test_href_has_its_members_since_version_3():
    wanted = {"archive": MIRROR | {"reference": "href"}, "method": "reference"}
    assert a_case("2021-05-11T12", 3, **wanted)
    for before in ("2021-05-11T06", "2017-11-02T00"):
        with pytest.raises(StormdrawError, match=r"x is made of .* HREF had other members at"):
            a_case(before, 3, **wanted)
    with pytest.raises(StormdrawError, match=r"archive.reference: HREF had other members"):
        a_case(
            "2017-11-02T00",
            3,
            {"source": "simulated", "reference": "href"},
            method="baseline",
            kind="persistence",
        )


@pytest.mark.parametrize(
    ("reference", "start", "longest"),
    [
        ("href", "2017-10-01T00", 0),
        ("href", "2018-06-01T00", 36),
        ("href", "2022-06-01T00", 48),
        ("refs", "2026-09-15T12", 60),
    ],
)
def test_mean_and_spread_go_as_far_as_they_were_published(reference, start, longest):
    wanted = {"archive": MIRROR | {"reference": reference}, "method": "reference"}
    assert published_hours(reference, datetime.fromisoformat(start)) == longest
    if longest:
        assert a_case(start, longest, kind="products", **wanted)
    if longest < 60:
        with pytest.raises(StormdrawError, match=f"published them to {longest} h"):
            a_case(start, longest + 1, kind="products", **wanted)


@pytest.mark.parametrize("kind", ["members", "products"])
def test_refs_is_in_the_public_archive_since_august_2026(kind):
    cloud = {"source": ["aws", "google"], "reference": "refs"}
    wanted = {"method": "reference", "kind": kind}
    assert a_case("2026-08-13T06", 3, cloud, **wanted)
    with pytest.raises(StormdrawError, match="aws, google never had"):
        a_case("2024-06-01T00", 3, cloud, **wanted)
    # Someone may have run it for that time.
    assert a_case("2024-06-01T00", 3, MIRROR | {"reference": "refs"}, **wanted)


def test_hiresw_and_hrefs_products_are_on_nomads_only():
    wanted = {"method": "reference"}
    cloud = {"source": ["aws", "google", "azure"], "reference": "href"}
    with pytest.raises(StormdrawError, match=r"6 of HREF's 10 .* of hiresw, which aws, google, az"):
        a_case("2026-06-01T00", 3, cloud, **wanted)
    assert a_case("2026-06-01T00", 3, cloud, minimum_members=4, **wanted)
    with pytest.raises(StormdrawError, match="never had HREF's of 2026-06-01 00 UTC"):
        a_case("2026-06-01T00", 3, cloud, kind="products", **wanted)
    nomads = cloud | {"source": ["aws", "nomads"]}
    assert a_case("2026-06-01T00", 3, nomads, **wanted)
    assert a_case("2026-06-01T00", 3, nomads, kind="products", **wanted)


def test_the_public_archives_begin_in_2014_and_2021():
    wanted = {"method": "baseline", "kind": "persistence"}
    assert a_case("2014-08-09T00", 3, {"source": ["google"]}, **wanted)
    with pytest.raises(StormdrawError, match=r"periods.training starts 2014-07-29 .*2014-07-30"):
        a_case("2014-08-07T00", 3, {"source": ["aws"]}, **wanted)
    with pytest.raises(StormdrawError, match="azure has HRRR since 2021-03-21"):
        a_case("2020-08-07T00", 3, {"source": ["azure"]}, **wanted)
    assert a_case("2020-08-07T00", 3, {"source": ["azure", "aws"]}, **wanted)


def test_mean_and_spread_have_four_cycles_a_day():
    wanted = {"archive": MIRROR | {"reference": "href"}, "method": "reference"}
    with pytest.raises(StormdrawError, match=r"x is made of .* HREF has no cycle at .* 03 UTC"):
        a_case("2026-06-01T03", 3, kind="products", **wanted)


def test_truth_that_no_source_has():
    wanted = {"method": "baseline", "kind": "persistence"}
    with pytest.raises(StormdrawError, match=r"archive.truth is urma, which google does not have"):
        a_case("2026-06-01T00", 3, {"source": ["google"], "truth": "urma"}, **wanted)
    assert a_case("2026-06-01T00", 3, {"source": ["google", "aws"], "truth": "urma"}, **wanted)


PUBLIC = FIRST_RUNS | {name: truth(name).first_runs for name in ("urma", "rtma")}


@pytest.mark.parametrize("model", PUBLIC)
def test_the_public_archives_are_those_that_herbie_knows(model):
    own = {"hiresw": "arw_5km", "href": "mean", "refs": "mean", "rrfs": "2dfld", "gefs": "atmos.25"}
    product = own.get(model, "anl")
    request = SimpleNamespace(
        date=datetime(2026, 9, 1), fxx=1, model=model, product=product, domain="conus"
    )
    request.get_remoteFileName = ""
    request.member = 1
    getattr(herbie().models, model).template(request)
    assert set(PUBLIC[model]) == set(request.SOURCES) & set(HerbieSource.__args__)
    assert earliest(PUBLIC[model], ["nowhere"]) is None
