"""Times batch-1 greedy decoding of a GPT-2-small-shaped model in transformers, for `jformer bench` to stand beside.

    pip install torch==2.10.0 transformers==4.57.1
    python tools/peers/generate.py --new-tokens 64

Weights are random, 124 M parameters, float32. Prints one JSON line per repeat and waits for a line on standard input
before the next, so that a caller can alternate with another program.
"""

import argparse
import json
import sys
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--prompt", type=int, default=32, help="tokens in the prompt")
    p.add_argument("--new-tokens", type=int, default=64)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config()).eval()
    ids = torch.randint(0, 50257, (1, a.prompt))

    def generate(count):
        start = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, min_new_tokens=count,
                do_sample=False, use_cache=True, pad_token_id=0)
        assert out.shape[1] == a.prompt + count
        return 1e3 * (time.perf_counter() - start)

    generate(4)
    for repeat in range(a.repeats):
        ms = generate(a.new_tokens)
        print(json.dumps({
            "repeat": repeat, "torch": torch.__version__, "threads": torch.get_num_threads(),
            "milliseconds": round(ms, 3), "tokens_per_second": round(a.new_tokens / ms * 1e3, 2),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
