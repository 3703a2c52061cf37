"""The files of a series, which have no inventory: a day's folder is listed.

obstore lists and reads buckets and folders alike. It is one compiled package without dependencies,
where s3fs would bring botocore and an event loop; Herbie does not list.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from stormdraw.archive.faults import NOT_THERE, Fault, FaultyFileError, UnreachableError
from stormdraw.archive.series import Series, seconds_from
from stormdraw.archive.session import TIMEOUT
from stormdraw.archive.sources import Cloud, Folder, Place, Website
from stormdraw.errors import StormdrawError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_RETRIES = 4
# Many servers answer a request for a list with an error or a page.
_NEEDED = (
    "the names of these files are not known, so they are listed (S3 ListObjectsV2), which needs "
    "the address of a bucket (http://host/bucket) or a folder"
)
_REFUSED = (PermissionDeniedError, UnauthenticatedError)


@dataclass(frozen=True)
class Listed:
    """A file of a series: its path in the bucket, its bytes, and the time in its name."""

    path: str
    size: int
    time: datetime


class Listing:
    """The files of series at a place. Each folder of a day is listed once, by whichever thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stores: dict[str, ObjectStore] = {}
        self._days: dict[tuple[Series, str], list[Listed]] = {}
        self._listing = threading.Lock()

    def by_nearness(self, series: Series, valid: datetime) -> list[Listed]:
        """The files of the days around a time, the nearest first; of two alike, the earlier.

        Raises UnreachableError if the server does not respond, and StormdrawError if it lists
        nothing to everyone.
        """
        reach = timedelta(seconds=series.tolerance)
        folders = dict.fromkeys(
            time.strftime(series.folder) for time in (valid - reach, valid, valid + reach)
        )
        with self._listing:
            found = [one for folder in folders for one in self._day(series, folder)]
        return sorted(found, key=lambda one: (abs(seconds_from(valid, one.time)), one.time))

    def read(self, series: Series, listed: Listed) -> bytes:
        """The whole file.

        Raises FaultyFileError if it is gone, refused, or shorter than listed, and UnreachableError
        if the server does not send it.
        """
        origin = self.address(series, listed.path)
        try:
            with _answering(origin):
                content = bytes(self._store(series).get(listed.path).bytes())
        except FileNotFoundError:
            raise FaultyFileError(origin, NOT_THERE) from None
        except _REFUSED:
            raise FaultyFileError(origin, Fault("is refused (403)")) from None
        if len(content) != listed.size:
            raise FaultyFileError(
                origin, Fault(f"has {len(content)} bytes, and {listed.size} were listed")
            )
        return content

    def address(self, series: Series, path: str = "") -> str:
        """The address of a file, or what those of all begin with."""
        if isinstance(self._place, Cloud):
            return f"s3://{series.bucket}/{path}"
        return f"{self._place.root}/{path}"

    def _day(self, series: Series, folder: str) -> list[Listed]:
        key = (series, folder)
        if key not in self._days:
            self._days[key] = list(self._files(series, folder))
        return self._days[key]

    def _files(self, series: Series, folder: str) -> Iterator[Listed]:
        origin = self.address(series, folder)
        try:
            with _answering(origin):
                # The stream asks for page after page of 1,000 keys.
                entries = [
                    entry for page in self._store(series).list(f"{folder}/") for entry in page
                ]
        except UnreachableError as error:
            if isinstance(self._place, Website):
                raise UnreachableError(f"{error}; {_NEEDED}") from None
            raise
        for entry in entries:
            time = series.time_of(entry["path"].rpartition("/")[2])
            if time is not None:
                yield Listed(entry["path"], entry["size"], time)

    def _store(self, series: Series) -> "ObjectStore":
        if series.bucket not in self._stores:
            self._stores[series.bucket] = _store_at(self._place, series.bucket)
        return self._stores[series.bucket]


def _store_at(place: Place, bucket: str) -> "ObjectStore":
    if isinstance(place, Folder):
        return LocalStore(place.root)
    options: ClientConfig = {
        # A server on this machine or in this network may have no certificate.
        "allow_http": True,
        "connect_timeout": timedelta(seconds=TIMEOUT[0]),
        "timeout": timedelta(seconds=TIMEOUT[1]),
    }
    retries: RetryConfig = {
        "max_retries": _RETRIES,
        "retry_timeout": timedelta(seconds=_RETRIES * TIMEOUT[1]),
    }
    if isinstance(place, Cloud):
        # The environment's AWS_ENDPOINT_URL, if set, replaces Amazon's address.
        return S3Store(
            bucket,
            region="us-east-1",
            skip_signature=True,
            client_options=options,
            retry_config=retries,
        )
    parts = urlsplit(place.root)
    name, _, prefix = parts.path.strip("/").partition("/")
    if not name:
        raise StormdrawError(f"archive.source.mirror is {place.root}: {_NEEDED}")
    return S3Store(
        name,
        prefix=prefix or None,
        endpoint=f"{parts.scheme}://{parts.netloc}",
        region="us-east-1",
        skip_signature=True,
        virtual_hosted_style_request=False,
        client_options=options,
        retry_config=retries,
    )


@contextmanager
def _answering(origin: str) -> Iterator[None]:
    """Turn a server's silence or failure into an error of ours; definite answers pass."""
    try:
        yield
    except (FileNotFoundError, *_REFUSED):
        raise
    except (BaseError, OSError) as error:
        first, *_ = str(error).splitlines() or [type(error).__name__]
        raise UnreachableError(
            f"{origin}: the archive did not answer as it should, {first.rstrip(': ')}; check the "
            "network and archive.source, then run again: what is already fetched is kept"
        ) from None
