"""Times LoRA's training step of a causal language model in Python's PEFT.

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    OMP_NUM_THREADS=1 python tools/peers/lora_step.py MODEL [--bf16]

MODEL is a folder that transformers loads. Rank 16 on all linear layers of the blocks, batch 4 of 256 random tokens, all of
which are learned; AdamW (fused), gradients clipped at norm 1. Prints a JSON line for each step, and goes on when it is sent a
line, so that a caller can alternate with another program: milliseconds, processor time, loss, peak resident memory in MB.
"""

import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

torch.manual_seed(1)
bf16 = "--bf16" in sys.argv
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear"))
weights = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(weights, lr=1e-4, fused=True)
ids = torch.randint(0, 49152, (4, 257))
model.train()
while True:
    start, processor = time.perf_counter(), time.process_time()
    optimizer.zero_grad()
    with torch.autocast("cpu", enabled=bf16, dtype=torch.bfloat16):
        logits = model(input_ids=ids[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())
    loss.backward()
    value = loss.item()
    torch.nn.utils.clip_grad_norm_(weights, 1)
    optimizer.step()
    line = {
        "ms": round((time.perf_counter() - start) * 1000),
        "cpu": round((time.process_time() - processor) * 1000),
        "loss": value,
        "hwm": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "trained": sum(p.numel() for p in weights),
    }
    print(json.dumps(line), flush=True)
    if not sys.stdin.readline():
        break
