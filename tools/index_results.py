"""Writes the table of docs/results/README.md from the studies' JSON files beside it.

    python tools/index_results.py
"""

import json
import pathlib

FOLDER = pathlib.Path("docs/results")
BEGIN, END = "<!-- studies -->\n", "<!-- /studies -->\n"

rows = ["| study | claims | what does not hold here |", "| --- | --- | --- |"]
for file in sorted(FOLDER.glob("*.json")):
    evidence = json.loads(file.read_text())
    if "claims" not in evidence or not evidence["claims"]:
        continue
    failed = [c["sentence"] for c in evidence["claims"] if not c["check"]["holds"]]
    claims = len(evidence["claims"])
    link = f"[{evidence['title']}]({file.stem}.md)"
    rows.append(f"| {link} | {claims - len(failed)} of {claims} hold | {'; '.join(failed)} |")

page = FOLDER / "README.md"
text = page.read_text()
before, rest = text.split(BEGIN)
page.write_text(before + BEGIN + "\n".join(rows) + "\n" + END + rest.split(END)[1])
