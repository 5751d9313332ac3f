"""Writes values of the RASP-L interpreter of https://github.com/apple/ml-np-rasp for the tests.

    pip install numpy; PYTHONPATH=ml-np-rasp/src python3 tools/rasp/values.py \
        > core/src/test/resources/dev/jformer/rasp/np-rasp.json
"""
import json

import numpy as np
from np_rasp import *

random = np.random.default_rng(0)
cases = []
for length in [1, 2, 3, 5, 8, 13, 21, 40, 65]:
    for _ in range(2):
        x = random.integers(0, 8, length)
        three = full(x, 3)
        values = {
            "x": x,
            "shift_right": shift_right(x, 2, default=9),
            "cumsum": cumsum(x > 3),
            "num_prev": num_prev(x, three),
            "has_seen": has_seen(x, three),
            "maximum": maximum(x),
            "minimum": minimum(x),
            "firsts": firsts(x, three),
            "lasts": lasts(x, three),
            "index_select": index_select(x, firsts(x, x) - 1, default=-4),
            "first_true": first_true((x > 3).astype(int)),
            "induct": induct(x, x, offset=1),
            "induct_prev": induct_prev(x, x, offset=-1),
            "mean": kqv(x, x, x, lt, default=5),
            "mean_geq": kqv(x, x, x, geq, default=5),
        }
        cases.append({name: [int(v) for v in value] for name, value in values.items()})
print("[" + ",\n".join(json.dumps(case) for case in cases) + "]")
