#!/bin/sh
# For a machine with an NVIDIA GPU, in one command: set-up with CUDA, the torch engine's tests on the GPU, training steps.
#
#   sh tools/gpu/check.sh [cuda | cuda:1 | …] 2>&1 | tee gpu.log
#
# The lines to keep in docs/benchmarks.md are the first one, which names the device, and the tables.
set -eu
cd "$(dirname "$0")/../.."
device=${1:-cuda}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
node tools/setup/setup.mjs --cuda

(cd packages/engine-torch && WINNOW_TEST_DEVICE="$device" npm test)

bench() {
  node tools/bench/bench.mjs --engine torch --device "$device" --rounds 2 --steps 20 --what train,search "$@"
}
bench --model nano
bench --model deit-s --batch-size 256
