"""Writes detailed scratchpads of additions as the code of https://github.com/lee-ny/teaching_arithmetic writes them,
for the tests.

(Its simple scratchpads are of no use: from the second line on it writes random digits, because a
flag is overwritten with the digit.)

    PYTHONPATH=teaching_arithmetic python3 tools/arithmetic/values.py \
        > core/src/test/resources/dev/jformer/data/algorithm/scratchpads.json
"""
import json
import ast
import os
import sys

# Only this function and its helper are run: the module itself imports much else.
path = os.path.join(os.environ["PYTHONPATH"].split(os.pathsep)[0], "main_utils.py")
tree = ast.parse(open(path).read())
wanted = {"get_algo_reasoning_str", "list_to_string", "truncate_to_n_digit"}
tree.body = [node for node in tree.body if getattr(node, "name", "") in wanted]
names = {}
exec(compile(tree, path, "exec"), names)
write = names["get_algo_reasoning_str"]
cases = [
    {"a": a, "b": b, "detailed": write(a, b)}
    for a, b in [(128, 367), (5, 7), (0, 0), (999, 1), (1, 999), (45, 678), (999, 999), (10, 90), (123, 45)]
]
print(json.dumps(cases, indent=0))
