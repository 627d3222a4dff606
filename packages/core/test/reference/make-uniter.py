"""Makes uniter.json beside it: a UNITER with small random weights, computed with PyTorch alone.

    python make-uniter.py

The embeddings and the head are written after ChenRocks/UNITER, model/model.py and model/vqa.py (no dropout); the trunk is
torch.nn.TransformerEncoderLayer with its norms behind the residuals, which is a layer of BERT.
"""
import json, pathlib
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(7)
V, D, HEADS, HIDDEN, LAYERS, FEATURES, ANSWERS, B, T, R = 9, 8, 2, 12, 2, 5, 4, 2, 4, 3
EPSILON, END = 1e-12, 2


def drawn(module):
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.copy_(torch.randn_like(parameter) * 0.4 + (0.5 if parameter.dim() == 1 else 0))
    return module


words, positions, types = (drawn(nn.Embedding(rows, D)) for rows in (V, 6, 2))
norm = lambda: drawn(nn.LayerNorm(D, eps=EPSILON))
text_norm, feature_norm, place_norm, region_norm = norm(), norm(), norm(), norm()
feature_map, place_map, pooler = drawn(nn.Linear(FEATURES, D)), drawn(nn.Linear(7, D)), drawn(nn.Linear(D, D))
layers = [
    drawn(nn.TransformerEncoderLayer(D, HEADS, HIDDEN, dropout=0, activation="gelu", layer_norm_eps=EPSILON, batch_first=True))
    for _ in range(LAYERS)
]
first, head_norm, last = drawn(nn.Linear(D, 2 * D)), drawn(nn.LayerNorm(2 * D, eps=EPSILON)), drawn(nn.Linear(2 * D, ANSWERS))

tokens = torch.tensor([[1, 3, 4, END], [1, 5, END, END]])
features = torch.randn(B, R, FEATURES)
corners = torch.rand(B, R, 4) * 0.5
boxes = torch.stack([corners[..., 0], corners[..., 1], corners[..., 0] + corners[..., 2], corners[..., 1] + corners[..., 3]], -1)
real = torch.tensor([[1, 1, 1], [1, 1, 0]])

width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
places = torch.cat([boxes, width[..., None], height[..., None], (width * height)[..., None]], -1)
told = text_norm(words(tokens) + positions.weight[:T] + types.weight[0])
seen = region_norm(feature_norm(feature_map(features)) + place_norm(place_map(places)) + types.weight[1])
read = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
padding = torch.cat([read, real], 1) == 0
states = torch.cat([told, seen], 1)
for layer in layers:
    states = layer(states, src_key_padding_mask=padding)
pooled = torch.tanh(pooler(states[:, 0]))
logits = last(head_norm(F.gelu(first(pooled))))

parameters = {}


def put(path, tensor):
    parameters[path] = {"shape": list(tensor.shape), "values": [round(float(v), 7) for v in tensor.detach().flatten()]}


def put_linear(path, weight, bias):
    put(f"{path}.weight", weight.t())
    put(f"{path}.bias", bias)


def put_norm(path, module):
    put(f"{path}.weight", module.weight)
    put(f"{path}.bias", module.bias)


for path, table in (("words", words), ("positions", positions), ("types", types)):
    put(f"text.{path}", table.weight)
for path, module in (
    ("text.norm", text_norm),
    ("regions.featuresNorm", feature_norm),
    ("regions.placesNorm", place_norm),
    ("regions.norm", region_norm),
    ("head.norm", head_norm),
):
    put_norm(path, module)
for path, module in (
    ("regions.features", feature_map),
    ("regions.places", place_map),
    ("pooler", pooler),
    ("head.first", first),
    ("head.last", last),
):
    put_linear(path, module.weight, module.bias)
for number, layer in enumerate(layers):
    under = f"trunk.blocks.{number}"
    for index, name in enumerate(("query", "key", "value")):
        rows = slice(index * D, (index + 1) * D)
        put_linear(f"{under}.attention.{name}", layer.self_attn.in_proj_weight[rows], layer.self_attn.in_proj_bias[rows])
    put_linear(f"{under}.attention.output", layer.self_attn.out_proj.weight, layer.self_attn.out_proj.bias)
    put_norm(f"{under}.attentionNorm", layer.norm1)
    put_linear(f"{under}.ffn.expand", layer.linear1.weight, layer.linear1.bias)
    put_linear(f"{under}.ffn.contract", layer.linear2.weight, layer.linear2.bias)
    put_norm(f"{under}.ffnNorm", layer.norm2)


def flat(tensor):
    return [round(float(v), 7) for v in tensor.detach().flatten()]


fixture = {
    "parameters": parameters,
    "tokens": tokens.flatten().tolist(),
    "features": flat(features),
    "boxes": flat(boxes),
    "real": real.flatten().tolist(),
    "pooled": flat(pooled),
    "logits": flat(logits),
}
pathlib.Path(__file__).with_name("uniter.json").write_text(json.dumps(fixture) + "\n")
