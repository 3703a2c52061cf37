from pathlib import Path

from stormdraw.ensembles.drawing import Drawn


def test_what_members_are_drawn_from_by_name() -> None:
    plain = Drawn.named({"checkpoint": "model.pt", "states": ["day.nc"], "static": []})
    assert plain == Drawn(Path("model.pt"), [Path("day.nc")], None, None)
    assert plain.files() == [Path("model.pt"), Path("day.nc")]
    crossed = Drawn.named(
        {
            "checkpoint": "def.pt",
            "states": ["one.nc", "two.nc"],
            "static": ["static.nc"],
            "forecaster": "gnn.pt",
        }
    )
    assert (crossed.static, crossed.forecaster) == (Path("static.nc"), Path("gnn.pt"))
    # All that a sampling resumed later must still be the same.
    assert [path.name for path in crossed.files()] == [
        *("def.pt", "one.nc", "two.nc", "static.nc", "gnn.pt")
    ]
