"""Times the forward pass of timm's PoolFormer-S12 in eager PyTorch, for `jformer bench` to stand beside.

    pip install torch==2.10.0 timm
    python tools/peers/poolformer.py --batch 8 --size 224

Random weights, float32, inference mode. Prints one JSON line per repeat and waits for a line before the next, so that
a caller can alternate with another program.
"""

import argparse
import json
import statistics
import sys
import time

import timm
import torch


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--warmup", type=int, default=2)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--channels-last", action="store_true")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model = timm.create_model("poolformer_s12", pretrained=False).eval()
    images = torch.rand(a.batch, 3, a.size, a.size)
    if a.channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        for _ in range(a.warmup):
            model(images)
        for repeat in range(a.repeats):
            times = []
            for _ in range(a.steps):
                start = time.perf_counter()
                model(images)
                times.append(1e3 * (time.perf_counter() - start))
            print(json.dumps({
                "repeat": repeat, "torch": torch.__version__, "timm": timm.__version__,
                "threads": torch.get_num_threads(),
                "milliseconds": round(statistics.median(times), 3),
                "images_per_second": round(1e3 * a.batch / statistics.median(times), 2),
            }), flush=True)
            if a.repeats > 1 and sys.stdin.readline() == "":
                break


if __name__ == "__main__":
    main()
