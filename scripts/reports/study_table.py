"""One table of all cases of a folder of results: TSV with a JSON data dictionary, as BIDS asks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...datasets import InputError
from ...datasets.file_names import is_hidden
from ...datasets.writing import replacing
from .study_columns import FIRST, LAST, dictionary
from .study_measures import ENDING, Measures

NOTHING = "n/a"


def write_study_tables(output_dir: Path) -> list[Path]:
    """Gather the numbers of all cases in ``output_dir`` into a table for each bundle, ``<bundle>.tsv``.

    Rows are made from the ``*_measures.json`` beside results, so that a table has the cases of earlier runs too,
    those of this run anew, and none whose results were removed. Processes that end at the same time write whole tables.

    Returns:
        The tables.

    Raises:
        InputError: if one of the files cannot be read, or there is a table of something else of that name.
    """
    by_bundle: dict[str, list[Measures]] = {}
    for path in sorted(output_dir.rglob(f"*{ENDING}")):
        folder = path.parent.relative_to(output_dir)
        if any(is_hidden(Path(part)) for part in folder.parts):  # of a run that has not ended
            continue
        measures = read_measures(path)
        result = folder / str(measures["result"])
        by_bundle.setdefault(str(measures["bundle"]), []).append({**measures, "result": result.as_posix()})
    return [_write_table(rows, output_dir / f"{bundle}.tsv") for bundle, rows in sorted(by_bundle.items())]


def require_own(path: Path) -> None:
    """Check that a table may be written to ``path``: there is none, or one that was gathered here.

    Raises:
        InputError: if there is a table of something else, or one to which columns were added.
    """
    if not path.is_file():
        return
    header = path.read_text(encoding="utf-8-sig", errors="replace").partition("\n")[0].rstrip("\r").split("\t")
    if header[: len(FIRST)] != list(FIRST):
        problem = "a table of something else is there already"
    elif added := [name for name in header if name not in _explained(path.with_suffix(".json"), header)]:
        problem = f"columns were added to this table, which would be lost ({', '.join(added)})"
    else:
        return
    raise InputError.at(path, problem, "move it, or choose another `output_dir`")


def _explained(path: Path, otherwise: Iterable[str]) -> set[str]:
    """Return the columns that a data dictionary explains, or ``otherwise`` where it cannot be read."""
    try:
        return set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return set(otherwise)


def read_measures(path: Path) -> Measures:
    """Read the numbers of one case.

    Raises:
        InputError: if the file cannot be read, or is not of this form.
    """
    try:
        measures: Measures = dict(json.loads(path.read_text(encoding="utf-8")))
        if missing := [name for name in (*FIRST, *LAST) if name not in measures]:
            raise KeyError(missing[0])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError.at(path, f"cannot be read ({error!r})", "remove it and predict the case again") from error
    return measures


def _write_table(rows: Sequence[Measures], path: Path) -> Path:
    columns = _columns(rows)
    require_own(path)
    unit = next((str(row["unit"]) for row in rows if row.get("unit")), "")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    writer.writerow(columns)
    ordered = sorted(rows, key=lambda row: (str(row["participant_id"]), str(row["session_id"]), str(row["result"])))
    writer.writerows([_text(row.get(name)) for name in columns] for row in ordered)
    contents = {path: text.getvalue(), path.with_suffix(".json"): _json(dictionary(columns, unit))}
    for file, content in contents.items():
        with replacing(file) as temporary:
            temporary.write_text(content, encoding="utf-8", newline="\n")
    return path


def _columns(rows: Iterable[Measures]) -> list[str]:
    """Order the columns: who, numbers, then how they came."""
    found = dict.fromkeys(name for row in rows for name in row if name != "unit")
    return [*FIRST, *(name for name in found if name not in FIRST and name not in LAST), *LAST]


def _text(value: Any) -> str:
    return NOTHING if value is None or value == "" else " ".join(str(value).split())


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
