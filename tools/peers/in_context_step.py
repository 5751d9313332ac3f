"""Times training steps of a model that learns linear functions in context, in eager PyTorch.

    pip install torch==2.10.0
    python tools/peers/in_context_step.py --steps 60 --threads 1

The model is the one of `jformer train --task in-context`: pre-norm blocks with LayerNorm, learned positions, fused
causal attention, GELU MLP of four times the width, biases; AdamW (fused), gradients clipped at norm 1. Each x and each
y is a token; the data of every step is drawn in it. Prints a JSON line for each repeat, with milliseconds of wall
clock and of processor time, and waits for a line on standard input before the next, so that a caller can alternate with
another program.
"""

import argparse
import json
import pathlib
import sys
import time

import torch
import torch.nn as nn

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from train_step import Block  # noqa: E402


class InContext(nn.Module):
    def __init__(self, inputs, layers, width, heads, length):
        super().__init__()
        self.input = nn.Linear(inputs, width)
        self.output = nn.Linear(1, width)
        self.position = nn.Embedding(2 * length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)

    def forward(self, x, y):
        tokens = torch.stack([self.input(x), self.output(y.unsqueeze(2))], dim=2).flatten(1, 2)
        h = tokens + self.position.weight[: tokens.shape[1]]
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h)[:, ::2]).squeeze(2)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--inputs", type=int, default=5)
    p.add_argument("--layers", type=int, default=3)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--examples", type=int, default=41)
    p.add_argument("--steps", type=int, default=60)
    p.add_argument("--warmup", type=int, default=10)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--repeats", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    model = InContext(a.inputs, a.layers, a.width, a.heads, a.examples)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step():
        w = torch.randn(a.batch, a.inputs, 1)
        x = torch.randn(a.batch, a.examples, a.inputs)
        y = (x @ w).squeeze(2)
        loss = (model(x, y) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    for _ in range(a.warmup):
        step()
    for _ in range(a.repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(a.steps):
            step()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"milliseconds": 1e3 * wall / a.steps, "cpu_ms": 1e3 * cpu / a.steps}), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
