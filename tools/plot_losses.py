"""Draws the losses of a run as an SVG picture, with nothing but Python's standard library.

    python tools/plot_losses.py runs/shakespeare/metrics.jsonl docs/results/shakespeare.svg "title"
"""

import html
import json
import sys

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 360, 56, 44, 36, 16


def smooth(points, window=50):
    out, total, recent = [], 0.0, []
    for step, loss in points:
        recent.append(loss)
        total += loss
        if len(recent) > window:
            total -= recent.pop(0)
        out.append((step, total / len(recent)))
    return out


def main(source, target, title):
    lines = [json.loads(line) for line in open(source, encoding="utf-8")]
    train = smooth([(l["step"], l["loss"]) for l in lines if "loss" in l])[::10]
    held = [(l["step"], l["validationLoss"]) for l in lines if "validationLoss" in l]
    steps = max(p[0] for p in train + held)
    low = min(p[1] for p in train + held) * 0.95
    high = min(max(p[1] for p in held) * 1.35, max(p[1] for p in train))

    def x(step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / steps

    def y(loss):
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - min(loss, high)) / (high - low)

    def path(points):
        return "M" + " L".join(f"{x(s):.1f},{y(v):.1f}" for s, v in points)

    ticks = [low + (high - low) * i / 5 for i in range(6)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" fill="#222">{html.escape(title)}</text>',
    ]
    for t in ticks:
        parts.append(f'<path d="M{LEFT},{y(t):.1f} H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(t) + 4:.1f}" text-anchor="end" fill="#555">{t:.2f}</text>')
    for i in range(6):
        step = steps * i // 5
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555">{step}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="#555">update</text>')
    parts.append(f'<path d="{path(train)}" fill="none" stroke="#8aa6c1" stroke-width="1.5"/>')
    parts.append(f'<path d="{path(held)}" fill="none" stroke="#c0392b" stroke-width="2"/>')
    for step, loss in held:
        parts.append(f'<circle cx="{x(step):.1f}" cy="{y(loss):.1f}" r="3" fill="#c0392b"/>')
    step, loss = held[-1]
    parts.append(f'<text x="{x(step) - 6:.1f}" y="{y(loss) - 10:.1f}" text-anchor="end" fill="#c0392b">{loss:.3f}</text>')
    for name, colour, at in (("nats per token:", "#555", 224), ("training", "#6f93b5", 122), ("held out", "#c0392b", 66)):
        parts.append(f'<text x="{WIDTH - RIGHT - at}" y="20" fill="{colour}">{name}</text>')
    parts.append("</svg>")
    with open(target, "w", encoding="utf-8") as out:
        out.write("\n".join(parts) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
