"""Tell how well networks and compressed sensing reconstruct, of evaluations that are there.

    python docs/measure_conditions.py FOLDER...

Each FOLDER is what ``evaluate guided_reconstruction_manet --overlay conditions -- --noise N`` wrote: of the networks,
or of compressed sensing with another weight alone (``--overlay networks/compressed_sensing``). Evaluations of the same
noise belong together. Printed are the rows of two tables, of PSNR and of SSIM: means and standard deviations over the
cases. The last column has the weight of compressed sensing that is best in the mean of these very cases, chosen for
each row. Then, for each noise, how far the first network is above the best weight, the least and the most of all rows,
and in how many single cases it is below.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

DECIMALS = {"psnr": 2, "ssim": 3}
CLASSICAL = "compressed sensing"
Values = dict[str, dict[str, list[float]]]  # network or weight, metric, cases in their order


def read(folders: list[Path]) -> dict[tuple[str, float], Values]:
    """Return what each network achieved, by sampling and noise."""
    found: dict[tuple[str, float], Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for folder in folders:
        settings = json.loads((folder / "summary.json").read_text())["provenance"]["settings"]
        weight = settings.get("network_def::weight")
        with (folder / "metrics.csv").open() as file:
            for row in csv.DictReader(file):
                is_classical = row["network"].replace("_", "").lower() == "compressedsensing"
                name = CLASSICAL if is_classical else row["network"]
                name += "" if weight is None else f" {weight}"
                key = f"{row['mask']} {row['acceleration']}x", float(settings["noise"])
                for metric in DECIMALS:
                    found[key][name][metric].append(float(row[metric]))
    return found


def best_weight(values: Values, metric: str) -> list[float]:
    """Return the values of compressed sensing with the weight that is best on average."""
    return max((each[metric] for name, each in values.items() if name.startswith(CLASSICAL)), key=mean)


def row(label: str, columns: list[list[float]], decimals: int) -> str:
    """Return a row of a table, the best mean in bold."""
    means = [f"{mean(values):.{decimals}f}" for values in columns]
    best = max(means, key=float)
    cells = [
        (f"**{text}**" if text == best else text) + f" ± {stdev(values):.{decimals}f}"
        for text, values in zip(means, columns, strict=True)
    ]
    return f"- {json.dumps([label, *cells], ensure_ascii=False)}"


def tell(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def main(folders: list[Path]) -> None:
    """Print the tables."""
    found = read(folders)
    names = [name for name in next(iter(found.values())) if not name.startswith(f"{CLASSICAL} ")]
    for metric, decimals in DECIMALS.items():
        tell(" | ".join([metric, *names, "best weight"]))
        for (sampling, noise), values in found.items():
            columns = [*(values[name][metric] for name in names), best_weight(values, metric)]
            tell(row(f"{sampling}, noise {100 * noise:g} %" if noise else sampling, columns, decimals))
        for noise in dict.fromkeys(noise for _, noise in found):
            of_noise = [values for key, values in found.items() if key[1] == noise]
            pairs = [list(zip(v[names[0]][metric], best_weight(v, metric), strict=True)) for v in of_noise]
            gains = [mean(ours - theirs for ours, theirs in pair) for pair in pairs]
            below = sum(ours < theirs for pair in pairs for ours, theirs in pair)
            least, most = min(gains), max(gains)
            tell(f"noise {noise:g}: {least:+.{decimals}f} to {most:+.{decimals}f}, below in {below} cases")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
