#!/usr/bin/env python3
"""Every relative link in a document leads to a file that exists, and every #anchor to a heading. Exits 1 otherwise."""

import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIP = {"build", ".tools", "node_modules", ".git", ".neuraldeck"}
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def documents():
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIP.intersection(path.relative_to(ROOT).parts):
            yield path


def anchors(path):
    """Heading anchors as the usual hosts make them."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*)$", FENCE.sub("", path.read_text()), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(words.replace(" ", "-"))
    return found


def check(path):
    text = FENCE.sub(lambda match: "\n" * match.group(0).count("\n"), path.read_text())
    text = CODE.sub("", text)
    for match in LINK.finditer(text):
        target = match.group(1)
        line = text.count("\n", 0, match.start()) + 1
        where = f"{path.relative_to(ROOT)}:{line}"
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (path.parent / urllib.parse.unquote(name)).resolve() if name else path
        if not goal.exists():
            yield f"{where}: {target} does not exist"
        elif not goal.is_relative_to(ROOT):
            yield f"{where}: {target} leaves the project"
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
            yield f"{where}: {target} has no such heading"


def main():
    offences, count = [], 0
    for path in documents():
        count += 1
        offences.extend(check(path))
    for offence in offences:
        print(offence)
    print(f"{count} documents, {len(offences)} broken links")
    return 1 if offences or not count else 0


if __name__ == "__main__":
    sys.exit(main())
