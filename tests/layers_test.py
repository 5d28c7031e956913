#!/usr/bin/env python3
"""Holds the sources against cmake/layers.txt and the size budgets. Exits 1 and names every offence."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
# A lambda that owns what it captures, made inside a co_await expression.
AWAITED_LAMBDA = re.compile(r"\bco_await\b[^;{]*?[(,]\s*\[(?!&\])[^\]]+\]\s*[({]")

# Rooms that must stay free of the network library: not even their sources may name it.
NO_ASIO = {"session", "vault", "audit"}
# Rooms that may see OpenSSL.
OPENSSL = {"crypto", "net", "keeper"}
MAX_LINES = 600
MOST_LINES = 400  # nine files in ten stay under it


def read_layers():
    layers = {}
    for number, line in enumerate((ROOT / "cmake/layers.txt").read_text().splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        room, colon, allowed = line.partition(":")
        if not colon:
            sys.exit(f"cmake/layers.txt:{number}: want 'room: rooms it may include'")
        layers[room.strip()] = set(allowed.split())
    return layers


def check_table(layers):
    """What a room may include must be known, and nothing may lead back to the room itself."""
    for room, allowed in layers.items():
        for other in sorted(allowed - layers.keys()):
            yield f"cmake/layers.txt: {room} names the unknown room {other}"
        seen, queue = set(), list(allowed)
        while queue:
            other = queue.pop()
            if other == room:
                yield f"cmake/layers.txt: {room} includes itself in a circle"
                break
            if other not in seen:
                seen.add(other)
                queue.extend(layers.get(other, ()))


def check_includes(path, layers):
    room = path.relative_to(SRC).parts[0]
    where = path.relative_to(ROOT)
    if room not in layers:
        yield f"{where}: the room {room} is not in cmake/layers.txt"
        return
    test = path.name.endswith("_test.cc")
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        quote, name = match.groups()
        line = text.count("\n", 0, match.start(2)) + 1
        if quote == '"':
            other = name.split("/")[0]
            if other == "tests" and test:
                continue
            if name.startswith("../") or "/" not in name:
                yield f"{where}:{line}: include \"room/file.h\" from src, not {name}"
            elif other not in layers:
                yield f"{where}:{line}: {name} is in no room"
            elif other != room and other not in layers[room]:
                yield f"{where}:{line}: {room} may not include {other} ({name})"
            elif not (SRC / name).exists():
                yield f"{where}:{line}: {name} does not exist"
        elif room in NO_ASIO and name.startswith(("boost/asio", "boost/beast")):
            yield f"{where}:{line}: {room} knows no network, yet includes <{name}>"
        elif name.startswith("openssl/") and room not in OPENSSL:
            yield f"{where}:{line}: only {', '.join(sorted(OPENSSL))} may see OpenSSL"
    for match in AWAITED_LAMBDA.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{where}:{line}: name the lambda before co_await; g++ 12 destroys it twice as a temporary"
    if path.suffix == ".h" and "#pragma once" not in text:
        yield f"{where}: a header starts with #pragma once"
    header = path.with_name(path.name.replace("_test.cc", ".cc")).with_suffix(".h")
    if path.suffix == ".cc" and not test and header.exists():
        first = INCLUDE.search(text)
        if first is None or first.group(2) != str(header.relative_to(SRC)):
            yield f"{where}: includes its own header first"


def check_sizes(files):
    sizes = {path: len(path.read_text().splitlines()) for path in files}
    for path, lines in sizes.items():
        if lines > MAX_LINES:
            yield f"{path.relative_to(ROOT)}: {lines} lines; no file has more than {MAX_LINES}"
    large = [path for path, lines in sizes.items() if lines > MOST_LINES]
    if len(large) * 10 > len(sizes):
        names = ", ".join(f"{path.relative_to(ROOT)} ({sizes[path]})" for path in sorted(large))
        yield f"{len(large)} of {len(sizes)} files are over {MOST_LINES} lines, more than one in ten: {names}"


def main():
    layers = read_layers()
    files = sorted(path for path in SRC.rglob("*") if path.suffix in {".h", ".cc"})
    offences = list(check_table(layers))
    for path in files:
        offences.extend(check_includes(path, layers))
    offences.extend(check_sizes(files))
    for offence in offences:
        print(offence)
    print(f"{len(files)} files, {len(layers)} rooms, {len(offences)} offences")
    return 1 if offences or not files else 0


if __name__ == "__main__":
    sys.exit(main())
