import { docText, pythonText, tensorsPy } from './tensors-py';

/** A number of a program: whole numbers as they are, else values of a shape, or one value everywhere in it; those of the file by name. */
export type ProgramConstant =
  | readonly number[]
  | {
      readonly type: 'float32' | 'int32';
      readonly shape: readonly number[];
      readonly values: readonly number[];
    }
  | { readonly type: 'float32' | 'int32'; readonly shape: readonly number[]; readonly fill: number }
  | { readonly held: string };

/** A part of a model as operators of ONNX in the order in which they run. */
export interface OperatorProgram {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly constants: Readonly<Record<string, ProgramConstant>>;
  readonly nodes: readonly (readonly [
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, unknown>>,
  ])[];
}

/**
 * A program in plain PyTorch that runs the parts of a model, each as its operators of ONNX (opset 20) one after another. It stands beside
 * `model.safetensors`, whose names are the paths of the model's record, and `constants.…`.
 * @param parts By their names, the one that `model(…)` runs first.
 */
export const programPy = (
  summary: string,
  parts: Readonly<Record<string, OperatorProgram>>,
): string => `"""${docText(summary)}

Written by winnow; needs torch alone, and model.safetensors beside it.
    model = load()                  # an nn.Module; its state_dict has the names of the file
    ${usage(parts)}
One answer comes by itself, several by name. Texts are filled up; gradients go through all of it.
"""
import json
import pathlib
import struct

import torch
import torch.nn.functional as F
from torch import nn

# Of each part: what it takes and gives, its constants, and operators of ONNX in the order in which they run.
PROGRAMS = json.loads(${pythonText(JSON.stringify(parts))})

${tensorsPy}
TYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16}

def gathered(x, rows, axis=0):
    taken = x.index_select(axis, rows.flatten().long())
    return taken.reshape(x.shape[:axis] + rows.shape + x.shape[axis + 1 :])

def cut(x, starts, ends, axes, steps=None):
    for start, end, axis, step in zip(starts, ends, axes, steps or [1] * len(axes)):
        x = x[(slice(None),) * axis + (slice(start, end, step),)]
    return x

def padded(x, pads):
    return F.pad(x, [pads[axis + side] for axis in reversed(range(x.dim())) for side in (0, x.dim())])

def reduced(function):
    return lambda x, axes, keepdims=1: function(x, axes, keepdim=bool(keepdims))

OPERATORS = {
    "Add": torch.add,
    "ArgMax": lambda x, axis, keepdims: x.argmax(axis, bool(keepdims)),
    "Cast": lambda x, to: x.to(TYPES[to]),
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "CumSum": lambda x, axis, exclusive=0: x.cumsum(int(axis)) - (x if exclusive else 0),
    "Div": torch.div,
    "Equal": torch.eq,
    "Exp": torch.exp,
    "Gather": gathered,
    "Gelu": lambda x, approximate="none": F.gelu(x, approximate=approximate),
    "Greater": torch.gt,
    "Identity": lambda x: x,
    "LayerNormalization": lambda x, w, b, axis, epsilon: F.layer_norm(x, x.shape[axis:], w, b, epsilon),
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "Log": torch.log,
    "MatMul": torch.matmul,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Mul": torch.mul,
    "Pad": padded,
    "Reciprocal": torch.reciprocal,
    "ReduceMax": reduced(torch.amax),
    "ReduceMean": reduced(torch.mean),
    "ReduceSum": reduced(torch.sum),
    "Relu": torch.relu,
    "Reshape": lambda x, shape: x.reshape(shape),
    "Resize": lambda x, _, scales, **how: F.interpolate(x, scale_factor=scales.tolist()[2:], mode="bilinear"),
    "Sigmoid": torch.sigmoid,
    "Slice": cut,
    "Softmax": lambda x, axis: x.softmax(axis),
    "Sqrt": torch.sqrt,
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Transpose": lambda x, perm: x.permute(perm),
    "Where": torch.where,
}

def constant(c):
    if "fill" in c:
        return torch.full(c["shape"], c["fill"], dtype=getattr(torch, c["type"]))
    return torch.tensor(c["values"], dtype=getattr(torch, c["type"])).reshape(c["shape"])

class Model(Node):
    def __init__(self):
        super().__init__()
        for part, program in PROGRAMS.items():
            for name, c in program["constants"].items():
                if isinstance(c, dict) and "held" not in c:
                    self.register_buffer(f"{part}_{name}", constant(c), persistent=False)

    def run(self, part, **given):
        """The answer of a part by the names of its inputs."""
        program = PROGRAMS[part]
        values = {"": None, **{name: given[name] for name in program["inputs"]}}

        def value(name):
            c = program["constants"].get(name)
            if name in values or isinstance(c, list):
                return c if name not in values else values[name]
            if c is not None and "held" not in c:
                return self.get_buffer(f"{part}_{name}")
            found = self
            for key in (name if c is None else c["held"]).split("."):
                found = found.get(key)
            return found

        for operator, inputs, output, attributes in program["nodes"]:
            values[output] = OPERATORS[operator](*map(value, inputs), **attributes)
        outputs = {name: values[name] for name in program["outputs"]}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def forward(self, **given):
        return self.run(next(iter(PROGRAMS)), **given)

def load(path=pathlib.Path(__file__).with_name("model.safetensors")):
    model = Model()
    for name, tensor in read(path).items():
        model.put(name, tensor)
    for name, held in model.named_parameters():
        held.requires_grad_(not name.startswith("constants."))
    return model.eval()
`;

/** A line for each part. */
const usage = (parts: Readonly<Record<string, OperatorProgram>>): string =>
  Object.entries(parts)
    .map(([name, { inputs, outputs }], at) => {
      const given = inputs.map((input) => `${input}=…`).join(', ');
      const call = at === 0 ? `model(${given})` : `model.run("${name}", ${given})`;
      return `${call}   # -> ${outputs.join(', ')}`;
    })
    .join('\n    ');
