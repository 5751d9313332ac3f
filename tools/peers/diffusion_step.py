"""Times training steps of a Diffusion Transformer in eager PyTorch.

    pip install torch==2.10.0
    python tools/peers/diffusion_step.py --steps 30 --threads 1

The model is the one of `jformer train --task diffusion --set model.size=16 --set model.channels=1 --set model.width=96
--set model.patchMixer.layers=0 --set model.masking.place=none`: blocks with adaLN-Zero, fused attention, SwiGLU,
biases; EDM's preconditioning and loss; AdamW (fused), gradients clipped at norm 1. Images are random. Prints a JSON
line for each repeat, with milliseconds of wall clock and of processor time: the latter can be compared on a busy
machine.
"""

import argparse
import json
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def modulated(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        hidden = 8 * math.ceil(width * 8 / 3 / 8)
        self.gate_up = nn.Linear(width, 2 * hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x, c):
        b, t, d = x.shape
        m = self.modulation(c).unsqueeze(1).chunk(6, dim=2)
        qkv = self.qkv(modulated(x, m[0], m[1])).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        x = x + m[2] * self.out(mixed.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(modulated(x, m[3], m[4])).chunk(2, dim=-1)
        return x + m[5] * self.down(F.silu(gate) * up)


class Dit(nn.Module):
    def __init__(self, size, patch, layers, width, heads, classes):
        super().__init__()
        self.patch, self.rows = patch, size // patch
        self.stem = nn.Linear(patch * patch, width)
        self.classes = nn.Embedding(classes + 1, width)
        self.first, self.second = nn.Linear(128, width), nn.Linear(width, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, patch * patch)
        self.register_buffer("positions", torch.randn(self.rows**2, width))
        self.register_buffer("rates", 0.25 * 256 ** (torch.arange(64) / 63))

    def forward(self, patches, noise, labels):
        angles = noise[:, None] * self.rates
        c = self.second(F.silu(self.first(torch.cat([angles.cos(), angles.sin()], dim=1))))
        c = F.silu(c + self.classes(labels))
        x = self.stem(patches) + self.positions
        for block in self.blocks:
            x = block(x, c)
        m = self.modulation(c).unsqueeze(1).chunk(2, dim=2)
        return self.head(modulated(x, m[0], m[1]))

    def cut(self, images):
        p, r = self.patch, self.rows
        return images.view(-1, r, p, r, p).permute(0, 1, 3, 2, 4).reshape(-1, r * r, p * p)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", type=int, default=16)
    p.add_argument("--patch", type=int, default=2)
    p.add_argument("--layers", type=int, default=6)
    p.add_argument("--width", type=int, default=96)
    p.add_argument("--heads", type=int, default=3)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--steps", type=int, default=30)
    p.add_argument("--warmup", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--repeats", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    model = Dit(a.size, a.patch, a.layers, a.width, a.heads, 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step():
        images = model.cut(torch.rand(a.batch, a.size, a.size) * 2 - 1)
        sigma = torch.exp(1.2 * torch.randn(a.batch) - 1.2)
        s = sigma[:, None, None]
        noisy = images + s * torch.randn_like(images)
        total = s * s + 0.25
        f = model(noisy / total.sqrt(), sigma.log() / 4, torch.randint(0, 11, (a.batch,)))
        denoised = noisy * 0.25 / total + f * s * 0.5 / total.sqrt()
        loss = ((denoised - images).square() * total / (0.25 * s * s)).mean()
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
        print(json.dumps({"wall_ms": 1e3 * wall / a.steps, "cpu_ms": 1e3 * cpu / a.steps}), flush=True)


if __name__ == "__main__":
    main()
