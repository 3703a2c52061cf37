"""Inventories of the small files that tests make, as wgrib2 writes those of real ones."""

from pathlib import Path

from stormdraw.archive.sections import split_fields
from stormdraw.messages import Header, extents, opened, read_header

_ENDINGS = {"mean": "wt ens mean", "spread": "ens spread"}


def inventory_of(content: bytes) -> str:
    """The inventory of a file with this content."""
    lines = []
    for number, extent in enumerate(extents(content, "a file"), start=1):
        fields = split_fields(content[extent.offset : extent.offset + extent.length])
        for part, field in enumerate(fields, start=1):
            label = f"{number}.{part}" if len(fields) > 1 else f"{number}"
            with opened(field) as handle:
                columns = _columns(read_header(handle))
            lines.append(f"{label}:{extent.offset}:{columns}\n")
    return "".join(lines)


def write_inventory(path: Path) -> Path:
    """The inventory of a file, beside it."""
    beside = path.with_name(path.name + ".idx")
    beside.write_text(inventory_of(path.read_bytes()))
    return beside


def _columns(header: Header) -> str:
    run = f"d={header.init:%Y%m%d%H}"
    if header.variable is None:
        return f"{run}:var discipline=0 master_table=2 parmcat=255 parm=255:surface:anl:"
    name_and_level = header.variable.inventory.partition("(?:")[0]
    forecast = header.variable.grib.forecast_column(header.lead or 0)
    member = "" if header.member is None else f"ENS={header.member:+d}"
    return f"{run}:{name_and_level}:{forecast}:{_ENDINGS.get(header.statistic, member)}"
