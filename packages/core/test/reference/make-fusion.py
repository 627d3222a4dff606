"""Makes fusion.json beside it: layers and losses of MDETR with small random weights, computed with PyTorch alone.

    python make-fusion.py

The layers are written after ashkamath/mdetr, models/transformer.py (post-norm, no dropout), on torch.nn.MultiheadAttention; the losses
after models/mdetr.py (SetCriterion) and models/matcher.py, with the least assignment by trying all of them. Only padding among the words
of the alignment is left out, as ours does.
"""
import itertools, json, pathlib
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(5)
D, HEADS, HIDDEN, B, T, Q = 8, 2, 12, 2, 5, 3


def rounded(tensor):
    return [round(float(value), 7) for value in tensor.detach().flatten()]


def draw(module):
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.copy_(torch.randn_like(parameter) * 0.4 + (1 if parameter.dim() == 1 and parameter.numel() == D else 0) * 0.3)
    return module


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(D, HEADS)
        self.expand, self.contract = nn.Linear(D, HIDDEN), nn.Linear(HIDDEN, D)
        self.attention_norm, self.ffn_norm = nn.LayerNorm(D), nn.LayerNorm(D)

    def forward(self, x, pos, padding):
        q = k = x + pos
        x = self.attention_norm(x + self.attention(q, k, value=x, key_padding_mask=padding)[0])
        return self.ffn_norm(x + self.contract(F.relu(self.expand(x))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.own, self.cross = nn.MultiheadAttention(D, HEADS), nn.MultiheadAttention(D, HEADS)
        self.expand, self.contract = nn.Linear(D, HIDDEN), nn.Linear(HIDDEN, D)
        self.self_norm, self.cross_norm, self.ffn_norm = nn.LayerNorm(D), nn.LayerNorm(D), nn.LayerNorm(D)

    def forward(self, x, query, memory, pos, padding):
        q = k = x + query
        x = self.self_norm(x + self.own(q, k, value=x)[0])
        x = self.cross_norm(x + self.cross(x + query, memory + pos, value=memory, key_padding_mask=padding)[0])
        return self.ffn_norm(x + self.contract(F.relu(self.expand(x))))


def linear(weight, bias):
    return {"weight": rounded(weight.t()), "bias": rounded(bias)}


def attention(module):
    names = ("query", "key", "value")
    parts = zip(names, module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3))
    return {**{name: linear(w, b) for name, w, b in parts}, "output": linear(module.out_proj.weight, module.out_proj.bias)}


def norm(module):
    return {"weight": rounded(module.weight), "bias": rounded(module.bias)}


def ffn(module):
    return {"expand": linear(module.expand.weight, module.expand.bias), "contract": linear(module.contract.weight, module.contract.bias)}


def giou(a, b):
    def corners(box):
        x, y, w, h = box.unbind(-1)
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2
    (l, t, r, d), (l2, t2, r2, d2) = corners(a), corners(b)
    inter = (torch.min(r, r2) - torch.max(l, l2)).clamp(0) * (torch.min(d, d2) - torch.max(t, t2)).clamp(0)
    union = (r - l) * (d - t) + (r2 - l2) * (d2 - t2) - inter
    hull = (torch.max(r, r2) - torch.min(l, l2)) * (torch.max(d, d2) - torch.min(t, t2))
    return inter / union - (hull - union) / hull


encoder, decoder = draw(Encoder()), draw(Decoder())
states, positions = torch.randn(B, T, D), torch.randn(T, D)
queries, content = torch.randn(Q, D), torch.randn(B, Q, D)
visible = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
padding = visible == 0
memory = encoder(states.transpose(0, 1), positions[:, None], padding)
found = decoder(content.transpose(0, 1), queries[:, None].expand(-1, B, -1), memory, positions[:, None], padding)

K, A = 7, 4
logits, boxes = torch.randn(B, Q, K, requires_grad=True), (torch.rand(B, Q, 4) * 0.6 + 0.2).requires_grad_()
aligned, words = torch.randn(B, Q, A, requires_grad=True), torch.randn(B, T, A, requires_grad=True)
targets = [[([0, 1], torch.rand(4) * 0.6 + 0.2), ([3], torch.rand(4) * 0.6 + 0.2)], [([1, 2], torch.rand(4) * 0.6 + 0.2)]]
count = sum(map(len, targets))
token = distance = overlap = alignment = 0
scores = aligned @ words.transpose(1, 2) / 0.07
scores = scores.masked_fill(padding[:, None], -1e9)
for b, own in enumerate(targets):
    def soft(tokens):
        target = torch.zeros(K)
        target[tokens] = 1 / len(tokens)
        return target
    def cost(q, j):
        tokens, box = own[j]
        return (5 * (boxes[b, q] - box).abs().sum() - (logits[b, q].softmax(-1) * soft(tokens)).sum() - 2 * giou(boxes[b, q], box)).item()
    best = min(itertools.permutations(range(Q), len(own)), key=lambda rows: sum(cost(q, j) for j, q in enumerate(rows)))
    positive = torch.zeros(Q, T)
    for q in range(Q):
        log = logits[b, q].log_softmax(-1)
        if q in best:
            tokens, box = own[best.index(q)]
            token = token - (soft(tokens) * log).sum()
            distance = distance + (boxes[b, q] - box).abs().sum()
            overlap = overlap + 1 - giou(boxes[b, q], box)
            positive[q, tokens] = 1
        else:
            token = token - 0.1 * log[-1]
    for side, targets_of in ((scores[b], positive), (scores[b].t(), positive.t())):
        for row, hits in zip(side, targets_of):
            if hits.sum() > 0:
                alignment = alignment + 0.5 * (row.logsumexp(-1) - (row * hits).sum() / hits.sum())
loss = (token + 5 * distance + 2 * overlap + alignment) / count
loss.backward()

fixture = {
    "shape": {"width": D, "heads": HEADS, "hiddenDim": HIDDEN, "batch": B, "tokens": T, "queries": Q},
    "encoder": {"attention": attention(encoder.attention), "attentionNorm": norm(encoder.attention_norm), "ffn": ffn(encoder), "ffnNorm": norm(encoder.ffn_norm)},
    "decoder": {"self": attention(decoder.own), "selfNorm": norm(decoder.self_norm), "cross": attention(decoder.cross), "crossNorm": norm(decoder.cross_norm), "ffn": ffn(decoder), "ffnNorm": norm(decoder.ffn_norm)},
    "inputs": {"states": rounded(states), "positions": rounded(positions), "visible": rounded(visible), "queries": rounded(queries), "content": rounded(content)},
    "memory": rounded(memory.transpose(0, 1)),
    "found": rounded(found.transpose(0, 1)),
    "told": {"logits": rounded(logits), "boxes": rounded(boxes), "aligned": rounded(aligned), "words": rounded(words)},
    "objects": {"boxes": [rounded(box) for own in targets for _, box in own], "examples": [b for b, own in enumerate(targets) for _ in own], "tokens": [tokens for own in targets for tokens, _ in own]},
    "loss": round(loss.item(), 6),
    "gradients": {"logits": rounded(logits.grad), "boxes": rounded(boxes.grad), "aligned": rounded(aligned.grad), "words": rounded(words.grad)},
}
pathlib.Path(__file__).with_name("fusion.json").write_text(json.dumps(fixture) + "\n")
