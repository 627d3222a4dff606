import { docText, pythonText, tensorsPy } from './tensors-py';

/**
 * A program in plain PyTorch that makes a vision transformer, a text tower or a dual encoder of ours of its configuration, cut unevenly
 * or not. It stands beside `model.safetensors`, whose names are the paths of the model's record.
 */
export const modelPy = (summary: string, config: unknown): string =>
  `"""${docText(summary)}

Written by winnow; needs torch alone, and model.safetensors beside it.
    model = load()                        # an nn.Module; its state_dict has the names of the file
    model(pixel_values)                   # [B, C, H, W], prepared as preprocessor_config.json says -> logits [B, classes]
    model(input_ids)                      # [B, context], filled up, of a text tower -> embeddings [B, P]
    model.embed_images(pixel_values), model.embed_texts(input_ids)   # of a dual encoder: of length 1, [B, P]
"""
import json
import pathlib
import struct

import torch
import torch.nn.functional as F
from torch import nn

CONFIG = json.loads(${pythonText(JSON.stringify(config))})

${tensorsPy}
def linear(p, x):
    return x @ p.weight if p.get("bias") is None else x @ p.weight + p.bias

def norm(p, x, epsilon):
    return F.layer_norm(x, x.shape[-1:], p.weight, p.bias, epsilon)

def attention(p, x, seen, heads, scale, causal=False):
    q, k, v = (
        linear(p.get(name), own).unflatten(-1, (heads, -1)).transpose(1, 2)
        for name, own in (("query", x), ("key", seen), ("value", seen))
    )
    scores = scale * q @ k.transpose(-1, -2)
    if causal:
        scores = scores + torch.full_like(scores[0, 0], -1e9).triu(1)
    return linear(p.output, (scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

def activation(x, kind):
    if kind == "quick-gelu":
        return x * torch.sigmoid(1.702 * x)
    return F.gelu(x, approximate="tanh" if kind == "gelu-tanh" else "none")

def ffn(p, x, kind):
    return linear(p.contract, activation(linear(p.expand, x), kind))

def tower(p, x, c):
    """Blocks one after another; each has its own widths."""
    scale = c["denseHeadDim"] ** -0.5
    for i, shape in enumerate(c["blocks"]):
        b = p.get(str(i))
        y = norm(b.attentionNorm, x, c["normEpsilon"])
        y = attention(b.attention, y, y, shape.get("heads", c["heads"]), scale, c["causal"])
        x = x + (y if b.get("attentionScale") is None else y * b.attentionScale)
        y = ffn(b.ffn, norm(b.ffnNorm, x, c["normEpsilon"]), c["activation"])
        x = x + (y if b.get("ffnScale") is None else y * b.ffnScale)
    return x

def vision_tokens(p, pixels, c):
    """[B, C, H, W] -> states before the last norm [B, T, D], and how many tokens stand before the patches."""
    side, (batch, channels, height, width) = c["patchSize"], pixels.shape
    grid = pixels.reshape(batch, channels, height // side, side, width // side, side).permute(0, 2, 4, 3, 5, 1)
    x = linear(p.patchEmbedding, grid.reshape(batch, -1, side * side * channels))
    whole = [p.get(name) for name in ("classToken", "distillationToken") if p.get(name) is not None]
    registers = [] if p.get("registers") is None else [p.registers]
    positioned = c.get("positioned")
    bound = [] if positioned == "patches" else whole if positioned else whole + registers
    free = whole + registers if positioned == "patches" else registers if positioned else []
    rows = lambda tokens: [token.expand(batch, -1, -1) for token in tokens]
    x = torch.cat([*rows(bound), x], 1) + p.positions
    place = sum(len(token) for token in bound)
    x = torch.cat([x[:, :place], *rows(free), x[:, place:]], 1)
    if p.get("embeddingNorm") is not None:
        x = norm(p.embeddingNorm, x, c["tower"]["normEpsilon"])
    return tower(p.blocks, x, c["tower"]), sum(len(token) for token in whole + registers)

def picture_state(p, pixels, c):
    """One state of each picture: the class token's, or the pooled one."""
    t, epsilon = c["tower"], c["tower"]["normEpsilon"]
    x = norm(p.norm, vision_tokens(p, pixels, c)[0], epsilon)
    pool = p.get("attentionPool")
    if pool is None:
        return x[:, 0]
    probe = pool.probe.expand(len(x), -1, -1)
    y = attention(pool.attention, probe, x, c["attentionPool"].get("heads", t["heads"]), t["denseHeadDim"] ** -0.5)
    return (y + ffn(pool.ffn, norm(pool.norm, y, epsilon), t["activation"]))[:, 0]

def text_state(p, tokens, c):
    x = tower(p.blocks, p.tokenEmbedding[tokens] + p.positions, c["tower"])
    end = c["endToken"]
    if end == "last":
        place = torch.full((len(x),), x.shape[1] - 1)
    else:
        place = (tokens if end == "greatest" else (tokens == end).int()).argmax(1)
    return norm(p.norm, x[torch.arange(len(x)), place], c["tower"]["normEpsilon"])

class Model(Node):
    def forward(self, x):
        c = CONFIG
        if c["kind"] == "clip-text":
            return text_state(self, x, c) @ self.projection
        epsilon, reads = c["tower"]["normEpsilon"], c.get("headInput")
        if reads is None and c["distillation"] != "head":
            return linear(self.head, picture_state(self, x, c))
        x, leading = vision_tokens(self, x, c)
        if c.get("normAfterMean"):
            return linear(self.head, norm(self.norm, x[:, leading:].mean(1), epsilon))
        x = norm(self.norm, x, epsilon)
        if reads is None:
            return (linear(self.head, x[:, 0]) + linear(self.distillationHead, x[:, 1])) / 2
        mean = x[:, leading:].mean(1)
        return linear(self.head, mean if reads == "mean" else torch.cat([x[:, 0], mean], 1))

    def embed_images(self, pixels):
        x = picture_state(self.vision, pixels, CONFIG["vision"])
        return F.normalize(x if self.get("visionProjection") is None else x @ self.visionProjection, dim=-1)

    def embed_texts(self, tokens):
        x = text_state(self.text, tokens, CONFIG["text"]) @ self.textProjection
        return F.normalize(x if self.get("textProjectionBias") is None else x + self.textProjectionBias, dim=-1)

def load(path=pathlib.Path(__file__).with_name("model.safetensors")):
    model = Model()
    for name, tensor in read(path).items():
        model.put(name, tensor)
    return model.eval()
`;
