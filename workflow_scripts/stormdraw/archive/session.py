"""The connection that everything of an archive comes over."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

# Seconds to wait for a connection, and for the next bytes of an answer.
TIMEOUT = (15.0, 60.0)

_RETRIES = 4
# A server that does not answer within the time-out is asked once more.
_RETRIES_WITHOUT_ANSWER = 1
_SECONDS_BEFORE_RETRY = 0.5
_TEMPORARY = (429, 500, 502, 503, 504)


class PatientSession(requests.Session):
    """A session that neither hangs nor gives up at the first hitch.

    Nothing in `requests` sets a time-out by default (`socket.setdefaulttimeout` is not honoured).
    Connection errors and 5xx answers are tried again with growing waits; a 5xx that stays is an
    error, not a file that does not exist.
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
