"""Writes a tar.xz of the files that stdin lists as JSON: [{path, source, isProgram}]. Usage: archive.py ARCHIVE

The same files give the same bytes: neither times nor owners are kept.
"""

import json
import lzma
import os
import sys
import tarfile


def write(archive: str, entries: list[dict]) -> None:
    """One entry after the other, in the order given, so that alike files lie within the compressor's reach.

    The archive stands under its name once it is whole: a half of one would unpack into a broken folder.
    """
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
    work = f"{archive}.{os.getpid()}.partial"
    try:
        fill(work, entries, filters)
        os.replace(work, archive)
    finally:
        if os.path.exists(work):
            os.remove(work)


def fill(file: str, entries: list[dict], filters: list[dict]) -> None:
    with lzma.open(file, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for entry in entries:
            member = tarfile.TarInfo(f"winnow/{entry['path']}")
            with open(entry["source"], "rb") as source:
                member.size = source.seek(0, 2)
                member.mode = 0o755 if entry.get("isProgram") else 0o644
                source.seek(0)
                tar.addfile(member, source)


if __name__ == "__main__":
    write(sys.argv[1], json.load(sys.stdin))
