"""Writes the table of docs/results/README.md from the studies' JSON files beside it.

    python tools/index_results.py
"""

import json
import pathlib

FOLDER = pathlib.Path("docs/results")
BEGIN, END = "<!-- studies -->\n", "<!-- /studies -->\n"

rows = ["| study | claims | what does not hold here | what is not told apart |", "| --- | --- | --- | --- |"]


def verdict(claim):
    """Results of earlier versions say only whether a claim holds."""
    check = claim["check"]
    return check.get("verdict") or ("holds" if check["holds"] else "does not hold")


for file in sorted(FOLDER.glob("*.json")):
    evidence = json.loads(file.read_text())
    if "claims" not in evidence or not evidence["claims"]:
        continue
    by = {"holds": [], "does not hold": [], "not told apart": []}
    for claim in evidence["claims"]:
        by[verdict(claim)].append(claim["sentence"])
    link = f"[{evidence['title']}]({file.stem}.md)"
    held = f"{len(by['holds'])} of {len(evidence['claims'])} hold"
    rows.append(f"| {link} | {held} | {'; '.join(by['does not hold'])} | {'; '.join(by['not told apart'])} |")

page = FOLDER / "README.md"
text = page.read_text()
before, rest = text.split(BEGIN)
page.write_text(before + BEGIN + "\n".join(rows) + "\n" + END + rest.split(END)[1])
