"""Times all-MiniLM-L6-v2 in ONNX Runtime on the CPU, for `jformer bench` to stand beside.

    pip install onnxruntime onnx
    python tools/peers/onnx_encoder.py --model app/target/models/minilm/model.onnx --batch 32 --length 128

`--int8` quantizes the model dynamically (weights when it is loaded, activations as they come) with ONNX Runtime's own
tool first. Prints one JSON line per repeat and waits for a line before the next, so that a caller can alternate with
another program.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time

import numpy
import onnxruntime


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--length", type=int, default=128)
    p.add_argument("--steps", type=int, default=1)
    p.add_argument("--warmup", type=int, default=1)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--int8", action="store_true")
    a = p.parse_args()
    model = a.model
    with tempfile.TemporaryDirectory() as folder:
        if a.int8:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            model = folder + "/int8.onnx"
            quantize_dynamic(a.model, model, weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = a.threads
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    ids = numpy.random.default_rng(0).integers(1000, 30000, (a.batch, a.length), dtype=numpy.int64)
    inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    inputs = {i.name: inputs[i.name] for i in session.get_inputs()}
    for _ in range(a.warmup):
        session.run(None, inputs)
    for repeat in range(a.repeats):
        times = []
        for _ in range(a.steps):
            start = time.perf_counter()
            session.run(None, inputs)
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({
            "repeat": repeat, "onnxruntime": onnxruntime.__version__, "threads": a.threads, "int8": a.int8,
            "milliseconds": round(statistics.median(times), 3),
            "tokens_per_second": round(1e3 * a.batch * a.length / statistics.median(times), 1),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
