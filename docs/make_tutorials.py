"""Execute the tutorials and write them as notebooks, with their outputs, beside their sources.

    python docs/make_tutorials.py [NAME...]

The sources are ``docs/tutorials/*.py``; the notebooks are made of them and not written by hand.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

TUTORIALS = Path(__file__).parent / "tutorials"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
BAR = "\u2501"
"""What progress bars are drawn of."""

SECONDS = 3600
"""After which a cell is given up."""


def main() -> None:
    """Execute those that are named, or all."""
    for source in sorted(TUTORIALS.glob("*.py")):
        if source.stem in (sys.argv[1:] or [source.stem]):
            with tempfile.TemporaryDirectory() as folder:
                nbformat.write(executed(source, Path(folder)), source.with_suffix(".ipynb"))
            sys.stdout.write(f"{source.with_suffix('.ipynb')}\n")


def read(source: Path) -> NotebookNode:
    """Return the notebook without outputs; the ids of its cells are their numbers, so that a second one is equal."""
    notebook = jupytext.read(source)
    notebook.metadata = {"kernelspec": KERNEL}
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", {}
    return notebook


def executed(source: Path, folder: Path) -> NotebookNode:
    """Execute the notebook in ``folder``, on the processor alone, with this Python's commands first on the path."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONWARNINGS"], os.environ["COLUMNS"] = "ignore", "100"
    notebook = read(source)
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False)
    client.resources = {"metadata": {"path": str(folder)}}
    client.execute()
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = None
        cell.outputs = _tidy(cell.outputs)
    notebook.metadata = {"kernelspec": KERNEL}
    return notebook


def _tidy(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Leave out progress bars, colors and what third parties say on stderr."""
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", printed).replace("\r", "\n").splitlines()
    text = "".join(f"{line.rstrip()}\n" for line in lines if line.strip() and BAR not in line)
    kept = [output for output in outputs if output.output_type != "stream"]
    for output in kept:
        output.pop("execution_count", None)
    return [new_output("stream", name="stdout", text=text), *kept] if text else kept


if __name__ == "__main__":
    main()
