"""The session never hangs."""

import requests

from stormdraw.archive import session
from stormdraw.archive.session import PatientSession


def test_every_request_has_a_time_out(monkeypatch):
    seen = {}

    def request(self, *arguments, **options):
        seen.update(options)

    monkeypatch.setattr(requests.Session, "request", request)
    patient = PatientSession()
    patient.head("http://127.0.0.1/")
    assert seen["timeout"] == session.TIMEOUT
    patient.get("http://127.0.0.1/", timeout=3)
    assert seen["timeout"] == 3
