"""A bucket of a radar mosaic, which an S3 server of this machine lists."""

import mosaic_bucket
import pytest
from mosaic_bucket import a_day, key
from mosaic_fetching import AFTER, BEFORE, LATER, near_the_hour


@pytest.fixture(scope="module")
def whole_day():
    """The server with 1,200 keys of no use, of which those near the hour are taken away."""
    with mosaic_bucket.serving() as bucket:
        bucket.put({path: b"" for path in a_day() if not near_the_hour(path)})
        yield bucket


@pytest.fixture
def bucket(whole_day, monkeypatch):
    """The same, in place of Amazon's, with files of a test of its own near the hour."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", whole_day.endpoint)
    yield whole_day
    for time in (AFTER, BEFORE, LATER):
        whole_day.remove(key(time))
