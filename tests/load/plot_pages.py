"""Draw what bench_pages has printed: python -m tests.load.plot_pages FILE.jsonl FILE.png

Prints the table of docs/performance.md, and each goal that was missed.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

GROUPS = ("page", "list", "search", "filter", "timeline, months", "timeline, month")


def read(lines: list[str]) -> dict[str, dict[int, float]]:
    """Return the milliseconds of web and database, by question and rows; also of peer and floor if asked."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for row in map(json.loads, lines):
        if "database" not in row:
            continue
        found[row["what"]][row["rows"]] = row["ours"] + row["database"]
        if row["what"] == "page" and "peer" in row:
            found["page of the peer"][row["rows"]] = row["peer"]
            found["page of the floor"][row["rows"]] = row["floor"]
    return found


def table(lines: list[str]) -> str:
    """Return the milliseconds of web + database as a Markdown table; of peer and floor over the fewest rows."""
    found: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
    for row in map(json.loads, lines):
        if "database" in row:
            found[row["what"]][row["rows"]] = row
    sizes = sorted({rows for each in found.values() for rows in each})
    header = "".join(f" {rows:,} photos |" for rows in sizes)
    printed = [f"| |{header} peer | floor |", "|---" * (len(sizes) + 3) + "|"]
    for what, each in found.items():
        costs = [
            f" {each[rows]['ours']:.1f} + {each[rows]['database']:.1f} |" if rows in each else " |"
            for rows in sizes
        ]
        fewest = each[min(each)]
        others = [f" {fewest[name]:.1f} |" if name in fewest else " |" for name in ("peer", "floor")]
        printed.append(f"| {what} |{''.join(costs + others)}")
    return "\n".join(printed)


def missed(lines: list[str]) -> list[str]:
    """Return each goal that was missed."""
    rows = [row for row in map(json.loads, lines) if row.get("met") is False]
    return [f"{row['rows']:,}: {row['what']} {row['ratio']:.2f}, at most {row['goal']:.2f}" for row in rows]


def draw(found: dict[str, dict[int, float]], path: Path) -> None:
    """Draw a panel for each group of questions, and one for the others."""
    figure, panels = plt.subplots(1, len(GROUPS) + 1, figsize=(32, 8), sharey=True)
    for what, costs in found.items():
        group = next((number for number, name in enumerate(GROUPS) if what.startswith(name)), len(GROUPS))
        panels[group].plot(list(costs), list(costs.values()), marker="o", label=what)
    for panel, title in zip(panels, (*GROUPS, "others"), strict=True):
        panel.set(xscale="log", yscale="log", title=title, xlabel="photos")
        panel.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("ms of processor time a request, web and database")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


def main() -> None:
    """Read the lines, draw them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    lines = options.lines.read_text().splitlines()
    draw(read(lines), options.picture)
    print(table(lines), "", "Missed:", *missed(lines), sep="\n")


if __name__ == "__main__":
    main()
