"""Microseconds that Python takes to ask a device for small operations of PyTorch, one after the other. Usage: issue.py DEVICE"""

import sys
import time
from collections.abc import Callable

import torch

COUNT = 2000


def main(device: str) -> None:
    """A line for each operation."""
    small = torch.ones(64, 64, device=device)
    operand = small.bfloat16()
    operations: dict[str, Callable[[], torch.Tensor]] = {
        "add": lambda: small + small,
        "relu": lambda: small.relu(),
        "transpose": lambda: small.t().contiguous(),
        "concat": lambda: torch.cat([small, small, small], 1),
        "matrix product": lambda: torch.mm(operand, operand),
        "cast": lambda: small.bfloat16(),
        "memory": lambda: torch.empty(64, 64, device=device),
    }
    with torch.inference_mode():
        for name, operation in operations.items():
            for _ in range(50):
                operation().cpu()
            start = time.perf_counter()
            for _ in range(COUNT):
                operation()
            asked = time.perf_counter()
            operation().cpu()
            done = time.perf_counter()
            each = 1e6 / COUNT
            print(f"{name}: asked for in {each * (asked - start):.1f} µs, done in {each * (done - start):.1f} µs")


if __name__ == "__main__":
    main(sys.argv[1])
