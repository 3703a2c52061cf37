"""Files of others in a bucket, from moto's server, which speaks as Amazon's S3 does."""

import logging

import boto3
import numpy as np
import pytest
from ensemble_files import INIT, ensemble
from moto.server import ThreadedMotoServer

from stormdraw.errors import StormdrawError
from stormdraw.external.reading import open_forecast
from stormdraw.external.settings import ExternalFiles


@pytest.fixture(scope="module")
def bucket():
    """A client of a server with an empty bucket called `theirs`; fsspec asks no other one later."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            environment.setenv("AWS_ALLOW_HTTP", "true")
            environment.setenv("AWS_REGION", "us-east-1")
            environment.setenv("AWS_ACCESS_KEY_ID", "anyone")
            environment.setenv("AWS_SECRET_ACCESS_KEY", "anything")
            client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
            client.create_bucket(Bucket="theirs")
            yield client
    finally:
        server.stop()


@pytest.mark.parametrize("ending", ["zarr", "nc"])
def test_members_in_a_bucket(tmp_path, bucket, ending):
    for member in (2, 7):
        part = ensemble().sel(realization=member)
        path = tmp_path / f"m{member}.{ending}"
        part.to_zarr(path) if ending == "zarr" else part.to_netcdf(path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            bucket.upload_file(str(path), "theirs", f"run/{path.relative_to(tmp_path)}")
    settings = ExternalFiles(
        path=f"s3://theirs/run/m{{member}}.{ending}",
        layout={"variables": {"T2M": "temperature"}},
    )
    with open_forecast(settings, "theirs", INIT, ["T2M"], [3]) as forecast:
        assert forecast.members == [2, 7]
        expected = ensemble()["temperature"].sel(realization=7).values[1]
        np.testing.assert_array_equal(forecast.field("T2M", 7, 3), expected)
        assert forecast.field("T2M", 1, 3) is None


def test_a_bucket_that_is_not_there_is_told_in_one_line(bucket):
    settings = ExternalFiles(path="s3://nobodys/run/m{member}.zarr")
    with pytest.raises(StormdrawError) as caught:
        _ = open_forecast(settings, "theirs", INIT, ["T2M"], [3]).members
    assert str(caught.value).startswith("s3://nobodys/run/m*.zarr: cannot be listed: ")
    assert "\n" not in str(caught.value)
