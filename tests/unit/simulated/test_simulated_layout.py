"""File names: what Herbie's own templates ask the public archives for."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from stormdraw.archive.herbie_library import herbie
from stormdraw.membership import members_at
from stormdraw.simulated.base import BASE
from stormdraw.simulated.layout import member_path, product_path

INIT = datetime(2026, 6, 8, 6)


def addresses(model, product, lead, options=()):
    """Every address in Herbie's template of a model."""
    described = SimpleNamespace(
        date=INIT, fxx=lead, model=model, product=product, get_remoteFileName="", **dict(options)
    )
    getattr(herbie().models, model).template(described)
    return described.SOURCES


@pytest.mark.parametrize("lead", [0, 3, 18])
def test_hrrr(lead):
    found = addresses("hrrr", "sfc", lead)
    for source in ("aws", "google", "azure", "nomads"):
        assert found[source].endswith(f"/{BASE.path(INIT, lead)}")


@pytest.mark.parametrize("cycle", [datetime(2026, 6, 8, 0), datetime(2026, 6, 8, 6)])
def test_members_of_href(cycle):
    for member in members_at("href", cycle):
        lead = member.own_lead(3)
        found = addresses(member.model, member.product, lead, member.options)
        assert found["nomads"].endswith(f"/{member_path(member, INIT, lead)}")


@pytest.mark.parametrize("product", ["mean", "sprd"])
def test_products_of_href(product):
    found = addresses("href", product, 2, (("domain", "conus"),))
    assert found["nomads"].endswith(f"/{product_path('href', product, INIT, 2)}")


@pytest.mark.parametrize("lead", [3, 42])
def test_members_of_refs(lead):
    for member in members_at("refs", INIT):
        own_lead = member.own_lead(lead)
        found = addresses(member.model, member.product, own_lead, member.options)
        assert found["aws"].endswith(f"/{member_path(member, INIT, own_lead)}")


@pytest.mark.parametrize("product", ["mean", "sprd"])
def test_products_of_refs(product):
    found = addresses("refs", product, 2, (("domain", "conus"),))
    for source in ("aws", "nomads"):
        assert found[source].endswith(f"/{product_path('refs', product, INIT, 2)}")
