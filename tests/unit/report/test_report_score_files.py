from report_run import Run

from stormdraw.report.score_files import ScoreFiles


def test_score_files_are_read_once(demo_run: Run) -> None:
    files = ScoreFiles.of({"href": demo_run.scores["href"]})
    assert ScoreFiles.of(files) is files
    calls = []

    def read(given: ScoreFiles) -> int:
        calls.append(given)
        return len(calls)

    assert [files.once(read), files.once(read)] == [1, 1]
    assert calls == [files]
    assert files.tables is files.tables
    assert ("T2M", "href") in files.tables


def test_no_files_are_no_tables() -> None:
    assert ScoreFiles.of({}).tables == {}
