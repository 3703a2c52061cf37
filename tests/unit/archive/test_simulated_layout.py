"""File names: what Herbie's own templates ask the public archives for."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from stormdraw.archive.herbie_library import load_herbie
from stormdraw.archive.membership import href_members
from stormdraw.archive.simulated.layout import href_path, hrrr_path, member_path

INIT = datetime(2026, 6, 8, 6)


@pytest.fixture(scope="module")
def herbie(tmp_path_factory):
    return load_herbie(tmp_path_factory.mktemp("herbie"))


def addresses(herbie, model, product, lead, options=()):
    """Every address in Herbie's template of a model."""
    described = SimpleNamespace(
        date=INIT, fxx=lead, model=model, product=product, get_remoteFileName="", **dict(options)
    )
    getattr(herbie.models, model).template(described)
    return described.SOURCES


@pytest.mark.parametrize("lead", [0, 3, 18])
def test_hrrr(herbie, lead):
    found = addresses(herbie, "hrrr", "sfc", lead)
    for source in ("aws", "google", "azure", "nomads"):
        assert found[source].endswith(f"/{hrrr_path(INIT, lead)}")


@pytest.mark.parametrize("cycle", [datetime(2026, 6, 8, 0), datetime(2026, 6, 8, 6)])
def test_members_of_href(herbie, cycle):
    for member in href_members(cycle):
        lead = member.own_lead(3)
        found = addresses(herbie, member.model, member.product, lead, member.options)
        assert found["nomads"].endswith(f"/{member_path(member, INIT, lead)}")


@pytest.mark.parametrize("product", ["mean", "sprd"])
def test_products_of_href(herbie, product):
    found = addresses(herbie, "href", product, 2, (("domain", "conus"),))
    assert found["nomads"].endswith(f"/{href_path(product, INIT, 2)}")
