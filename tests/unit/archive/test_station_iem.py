"""Fetching from IEM's service: a server on the loopback address that misbehaves as it may."""

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from archive_server import serving

from stormdraw.archive import session
from stormdraw.archive.stations import iem
from stormdraw.archive.stations.dropped import Dropped
from stormdraw.archive.stations.iem import HEADER, Asked, fetch
from stormdraw.archive.stations.reports import read_reports
from stormdraw.archive.stations.settings import IEM_COLUMNS
from stormdraw.errors import StormdrawError

FIRST, LAST = datetime(2018, 7, 21, 11, 45), datetime(2018, 7, 22, 23, 15)
DATE = "20180722"
PAGE = "<!DOCTYPE html><html><body>Down for maintenance</body></html>"


def row(time, station="BOI"):
    return f"{station},{time},-116.2228,43.5644,874.00,95.00,41.00,310.00,10.00,M,1009.80,M"


def answer(*times):
    return "".join(f"{line}\n" for line in (HEADER, *(row(time) for time in times)))


WHOLE = answer("2018-07-21 11:53", "2018-07-22 10:53", "2018-07-22 22:53")


class Service(dict):
    """The answers of a server by network: (status, text) each, the last one again and again."""

    def get(self, path, default=None):
        network = parse_qs(urlsplit(path).query)["network"][0]
        if network not in self:
            return default
        answers = self[network]
        status, text = answers.pop(0) if len(answers) > 1 else answers[0]

        def respond(request):
            request.send(status, text.encode(), announced=999 if status == 206 else None)
            if status == 206:
                request.close()
            return True

        return respond


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "_SECONDS_BEFORE_RETRY", 0.0)
    monkeypatch.setattr(iem, "_SECONDS_BETWEEN_REQUESTS", 0.0)
    (tmp_path / "root").mkdir()
    with serving(tmp_path / "root") as archive:
        archive.faults = Service()
        yield archive


def get(service, folder, networks=("ID_ASOS",), last=LAST):
    asked = [Asked(network, FIRST, last) for network in networks]
    return fetch(folder, DATE, asked, f"{service.address}/asos.py")


def fails(service, tmp_path, *answers):
    """The error of a fetch that is answered so; no file is left."""
    service.faults["ID_ASOS"] = list(answers)
    with pytest.raises(StormdrawError) as error:
        get(service, tmp_path / "iem")
    assert not [path for path in (tmp_path / "iem").rglob("*") if path.is_file()]
    return str(error.value)


def test_a_network_is_asked_for_in_utc_and_for_more_than_a_day(service, tmp_path):
    service.faults["ID_ASOS"] = [(200, WHOLE)]
    (path,) = get(service, tmp_path)
    assert path == tmp_path / DATE / "ID_ASOS.csv"
    query = parse_qs(urlsplit(service.log[0][1]).query)
    assert query["network"] == ["ID_ASOS"]
    assert query["tz"] == ["Etc/UTC"]
    assert query["report_type"] == ["3", "4"]
    assert (query["sts"], query["ets"]) == (["2018-07-21T11:45:00Z"], ["2018-07-22T23:16:00Z"])
    assert (query["latlon"], query["elev"]) == (["yes"], ["yes"])
    table = read_reports(path, IEM_COLUMNS, Dropped(), "ID_ASOS")
    assert list(table["reported"].dt.hour) == [11, 10, 22]


def test_the_columns_are_those_of_the_real_service():
    assert HEADER == "station,valid,lon,lat,elevation,drct,sknt,tmpf,dwpf,gust,mslp,p01i"


def test_what_was_fetched_is_not_fetched_again(service, tmp_path):
    service.faults |= {"ID_ASOS": [(200, WHOLE)], "MT_ASOS": [(404, "")]}
    with pytest.raises(StormdrawError):
        get(service, tmp_path, ["ID_ASOS", "MT_ASOS"])
    service.faults["MT_ASOS"] = [(200, WHOLE)]
    get(service, tmp_path, ["ID_ASOS", "MT_ASOS"])
    networks = [parse_qs(urlsplit(path).query)["network"][0] for path in service.asked("GET")]
    assert networks == ["ID_ASOS", "MT_ASOS", "MT_ASOS"]


def test_another_request_is_made_anew(service, tmp_path):
    service.faults["ID_ASOS"] = [(200, WHOLE)]
    get(service, tmp_path)
    get(service, tmp_path, last=LAST + timedelta(minutes=5))
    assert len(service.log) == 2


def test_a_day_that_was_not_over_is_fetched_again(service, tmp_path, monkeypatch):
    service.faults["ID_ASOS"] = [(200, WHOLE)]
    monkeypatch.setattr(iem, "now_utc", lambda: LAST - timedelta(minutes=1))
    get(service, tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(iem, "_SECONDS_BETWEEN_REQUESTS", 0.0)
    get(service, tmp_path)
    get(service, tmp_path)
    assert len(service.log) == 2


@pytest.mark.parametrize("content", ["", "#ADDRESS elsewhere\n", "no remark\n#FETCHED\n"])
def test_a_file_of_something_else_is_fetched_again(service, tmp_path, content):
    service.faults["ID_ASOS"] = [(200, WHOLE)]
    path = tmp_path / DATE / "ID_ASOS.csv"
    path.parent.mkdir()
    path.write_text(content)
    get(service, tmp_path)
    assert path.read_text().endswith(WHOLE)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_is_asked_again(service, tmp_path, status):
    service.faults["ID_ASOS"] = [(status, "busy"), (status, "busy"), (200, WHOLE)]
    (path,) = get(service, tmp_path)
    assert path.read_text().endswith(WHOLE)
    assert "did not answer as it should" in fails(service, tmp_path / "b", (status, "busy"))


@pytest.mark.parametrize(
    "broken",
    [
        (200, WHOLE[:-30]),
        (200, WHOLE[: WHOLE.rindex(",")] + "\n"),
        (206, WHOLE[:-30]),
    ],
)
def test_an_answer_that_breaks_off_is_asked_for_again(service, tmp_path, broken):
    service.faults["ID_ASOS"] = [broken, (200, WHOLE)]
    (path,) = get(service, tmp_path)
    assert path.read_text().endswith(WHOLE)
    assert "incomplete answers" in fails(service, tmp_path / "b", broken)


def test_reports_that_end_early_are_believed_if_they_do_so_again(service, tmp_path):
    early = answer("2018-07-21 11:53", "2018-07-22 10:53")
    service.faults["ID_ASOS"] = [(200, early), (200, WHOLE)]
    (path,) = get(service, tmp_path / "a")
    assert path.read_text().endswith(WHOLE)
    service.faults["ID_ASOS"] = [(200, early)]
    (path,) = get(service, tmp_path / "b")
    assert path.read_text().endswith(early)
    assert len(service.log) == 4


def test_a_network_without_reports_is_believed_if_it_has_none_again(service, tmp_path):
    service.faults["ID_ASOS"] = [(200, answer())]
    (path,) = get(service, tmp_path)
    assert len(service.log) == 2
    assert read_reports(path, IEM_COLUMNS, Dropped(), "ID_ASOS").empty


def test_answers_that_change_and_end_early_are_not_believed(service, tmp_path):
    parts = [(200, answer(f"2018-07-22 0{hour}:53")) for hour in range(4)]
    assert "reports end early" in fails(service, tmp_path, *parts)


def test_a_web_page_in_place_of_reports_is_refused(service, tmp_path):
    assert "sends a web page instead of reports" in fails(service, tmp_path, (200, PAGE))


def test_something_else_in_place_of_reports_is_refused(service, tmp_path):
    said = fails(service, tmp_path, (200, "ERROR: server over capacity"))
    assert "answers 'ERROR: server over capacity' instead of the columns" in said


def test_an_unknown_network_is_refused(service, tmp_path):
    text = "When requesting all-stations, must be less than 24 hours."
    said = fails(service, tmp_path, (400, text))
    assert said.startswith("ID_ASOS: IEM refuses the request (HTTP 400")
    assert "correct archive.stations.networks" in said


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_machine_that_is_not_let_in_is_told_so(service, tmp_path, status):
    said = fails(service, tmp_path, (status, "Forbidden"))
    assert f"does not let this machine in (HTTP {status}, " in said
    assert "networks" not in said


@pytest.mark.parametrize("wrong", ["2018-07-21 11:44", "2018-07-22 23:16", "2019-07-22 10:53"])
def test_reports_of_another_day_are_refused(service, tmp_path, wrong):
    text = answer("2018-07-22 10:53", wrong, "2018-07-22 22:53")
    assert f"sends a report of '{wrong}', which is not between" in fails(
        service, tmp_path, (200, text)
    )


def test_a_server_that_is_not_there_is_an_error_of_one_line(tmp_path, service):
    asked = [Asked("ID_ASOS", FIRST, LAST)]
    with pytest.raises(StormdrawError, match=r"IEM did not answer as it should.*run again later"):
        fetch(tmp_path, DATE, asked, "http://127.0.0.1:9/asos.py")


def test_two_jobs_ask_one_after_the_other(service, tmp_path, monkeypatch):
    monkeypatch.setattr(iem, "_SECONDS_BETWEEN_REQUESTS", 0.05)
    asking, most = [], []

    def slow(*_):
        asking.append(1)
        most.append(len(asking))
        time.sleep(0.05)
        asking.pop()
        return WHOLE

    monkeypatch.setattr(iem, "fetch_text", slow)
    days = [f"2018072{k}" for k in range(3)]
    asked = [Asked("ID_ASOS", FIRST, LAST)]
    jobs = [threading.Thread(target=fetch, args=(tmp_path, day, asked)) for day in days]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert most == [1, 1, 1]
    assert sorted(Path(tmp_path).rglob("*.csv")) == [tmp_path / day / "ID_ASOS.csv" for day in days]
