#!/usr/bin/env bash
# Unpacks an archive of `npm run gpu:pack` on a machine that has a torch in its python3 and a C++ compiler, and runs parts of
# it there: builds the addon against that torch, tests it on the GPU, compresses, measures. See docs/gpu.md.
#
#   bash tools/gpu/gpu.sh ARCHIVE OUT [--device cuda|cuda:1|cpu] [--seconds N] [build] [tests] [own] [bench] [clip] [profile] [methods] [laws]
#
# What comes out is written into the folder OUT as it goes, so that a machine that is taken away leaves what was done.
# A second call finds what the first one has unpacked and built, in ${TMPDIR:-/tmp}.
set -euo pipefail
archive=$1 out=$2
shift 2
mkdir -p "$out"

# Python, which is needed anyway, has xz in it; a tar command may not.
folder=$(python3 - "$archive" "${TMPDIR:-/tmp}" <<'PYTHON'
import hashlib, os, shutil, sys, tarfile
archive, parent = sys.argv[1:]
digest = hashlib.sha256(open(archive, "rb").read()).hexdigest()[:16]
folder = os.path.join(parent, f"winnow-gpu-{digest}")
if not os.path.isdir(folder):
    work = f"{folder}.{os.getpid()}"
    with tarfile.open(archive, "r:xz") as packed:
        # Pythons before 3.11.4 have no filters; the archive is the caller's own build, so none is owed there.
        packed.extractall(work, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    os.rename(os.path.join(work, "winnow"), folder)
    shutil.rmtree(work)
print(folder)
PYTHON
)
echo "unpacked in $SECONDS s: $folder"
exec "$folder/node/bin/node" "$folder/js/run.mjs" --out "$out" "$@"
