"""Writes parameter-groups.json: steps of PyTorch's AdamW and SGD with a learning rate of each group's own.

Run beside it: python parameter-groups.py (torch 2.13).
"""

import json
import pathlib

import torch

LEARNING_RATE, WEIGHT_DECAY, STEPS = 0.01, 0.1, 4
SCALES = {"low": 0.75**3, "middle": 0.75, "head": 1.0}


def trajectory(make):
    generator = torch.Generator().manual_seed(16)
    start = {name: torch.randn(2, 3, generator=generator) for name in SCALES}
    gradients = [{name: torch.randn(2, 3, generator=generator) for name in SCALES} for _ in range(STEPS)]
    parameters = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimizer = make([{"params": [parameters[name]], "lr": LEARNING_RATE * scale} for name, scale in SCALES.items()])
    steps = []
    for gradient in gradients:
        for name, parameter in parameters.items():
            parameter.grad = gradient[name].clone()
        optimizer.step()
        steps.append(plain(parameters))
    return {"start": plain(start), "gradients": [plain(gradient) for gradient in gradients], "steps": steps}


def plain(tensors):
    return {name: [round(value, 8) for value in tensor.detach().flatten().tolist()] for name, tensor in tensors.items()}


written = {
    "learningRate": LEARNING_RATE,
    "weightDecay": WEIGHT_DECAY,
    "scales": SCALES,
    "adamw": trajectory(lambda groups: torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)),
    "sgd": trajectory(lambda groups: torch.optim.SGD(groups, momentum=0.9, weight_decay=WEIGHT_DECAY)),
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(written) + "\n")
