"""PyTorch as a worker: one request in JSON on a line of stdin, one answer on a line of stdout.

A request says what to do (train, search, infer: {what, variant, precision, device, model, batch, steps}); a second one
of the same kind goes on with the same model. The answer has the milliseconds of every step and the peak memory so far, on
a GPU also of its own. `{"what": "gemm", precision, device, steps}` is answered with the GFLOP/s of large products. Usage: peer.py THREADS
"""

import json
import resource
import sys
import time

import torch

from jobs import Step, inference, matrix_product_peak, training


def steps_in_ms(step: Step, count: int) -> list[float]:
    """Milliseconds of each of so many steps."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return times


def serve() -> None:
    """Answers until stdin ends. What fails is answered with the reason, on one line."""
    current: tuple[str, Step] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["what"] == "gemm":
                answer = {"gflops": matrix_product_peak(request)}
            else:
                kind = json.dumps({**request, "steps": None}, sort_keys=True)
                if current is None or current[0] != kind:
                    current = (kind, inference(request) if request["what"] == "infer" else training(request))
                answer = {"ms": steps_in_ms(current[1], request["steps"])}
            answer["peakMib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            if request["device"] != "cpu":
                answer["devicePeakMib"] = torch.cuda.max_memory_allocated(request["device"]) / 2**20
        except Exception as error:  # A variant that does not work here is a result, not an accident.
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    serve()
