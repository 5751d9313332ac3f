"""Times a GPT's training step in eager PyTorch, for `jformer bench` to stand beside.

    pip install torch==2.10.0
    python tools/peers/train_step.py --layers 4 --width 256 --heads 4 --batch 8 --length 256

The model is the default one of jformer: pre-norm blocks with LayerNorm, learned positions, fused causal attention,
GELU MLP of four times the width, biases, tied embeddings; AdamW (fused), gradients clipped at norm 1. Prints one JSON
line. `--repeats` prints a line per repeat, so that a caller can alternate with another program.
"""

import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (
            p.view(b, t, self.heads, d // self.heads).transpose(1, 2)
            for p in self.qkv(x).split(d, dim=2)
        )
        with torch.autocast("cpu", enabled=False):
            y = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
        return self.out(y.transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.mixer_norm = nn.LayerNorm(width)
        self.mixer = Attention(width, heads)
        self.ffn_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.mixer(self.mixer_norm(x))
        return x + self.ffn(self.ffn_norm(x))


class Gpt(nn.Module):
    def __init__(self, layers, width, heads, vocab, length):
        super().__init__()
        self.embedding = nn.Embedding(vocab, width)
        self.position = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids, targets):
        x = self.embedding(ids) + self.position.weight[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--layers", type=int, default=4)
    p.add_argument("--width", type=int, default=256)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--vocab", type=int, default=256)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--length", type=int, default=256)
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--bf16", action="store_true")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model = Gpt(a.layers, a.width, a.heads, a.vocab, a.length)
    decayed = [w for w in model.parameters() if w.dim() >= 2]
    others = [w for w in model.parameters() if w.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.99), fused=True)
    ids = torch.randint(0, a.vocab, (a.batch, a.length))
    targets = torch.randint(0, a.vocab, (a.batch, a.length))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            loss = model(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    for _ in range(a.warmup):
        step()
    for repeat in range(a.repeats):
        times = []
        for _ in range(a.steps):
            start = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({
            "repeat": repeat, "torch": torch.__version__, "threads": torch.get_num_threads(),
            "milliseconds": round(statistics.median(times), 3), "minimum": round(min(times), 3),
            "tokens_per_second": round(a.batch * a.length / statistics.median(times) * 1e3, 1),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
