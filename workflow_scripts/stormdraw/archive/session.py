"""The HTTP session of all archive traffic."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

# Seconds to wait for a connection, and for the next bytes of an answer.
TIMEOUT = (15.0, 60.0)

_RETRIES = 4
# A server that does not answer within the timeout is asked once more.
_RETRIES_WITHOUT_ANSWER = 1
_SECONDS_BEFORE_RETRY = 0.5
_TEMPORARY = (429, 500, 502, 503, 504)


class PatientSession(requests.Session):
    """A session with timeouts and retries.

    `requests` has no timeout by default (and ignores `socket.setdefaulttimeout`). Connection errors
    and 5xx answers are retried with growing waits; a lasting 5xx is an error, not a missing file.
    """

    def __init__(self) -> None:
        super().__init__()
        retries = Retry(
            total=_RETRIES,
            read=min(_RETRIES, _RETRIES_WITHOUT_ANSWER),
            backoff_factor=_SECONDS_BEFORE_RETRY,
            status_forcelist=_TEMPORARY,
            allowed_methods=("HEAD", "GET"),
            # A server may ask for hours.
            respect_retry_after_header=False,
        )
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(max_retries=retries, pool_maxsize=16))

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        if options.get("timeout") is None:
            options["timeout"] = TIMEOUT
        return super().request(*arguments, **options)
