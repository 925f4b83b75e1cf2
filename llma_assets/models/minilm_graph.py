"""MiniLM-L6 as a graph whose products of weights are exact integers, made from the vendor's file of int8 weights.

The vendor's graph turns its int8 weights into float32 and multiplies those. Here the activations of each token become
integers, too, by a scale of that token alone: a product of integers is exact in whatever order it is summed, so a
window's values do not depend on the windows that run with it, and the processor's int8 instructions do the work.

Activations have 7 bits. With 8, processors without VNNI add two products into 16 bits that may not hold them
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "U8S8 saturation"): 127 * 127 * 2 fits.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS, HEADS, WIDTH = 6, 12, 384
_LEVELS, _ZERO = 63, 64
# After GELU nothing is below this, so that all 7 bits serve what is above.
_GELU_MINIMUM, _GELU_LEVELS = -0.17, 127
_EPSILON = 1e-12

Array = NDArray[Any]


def integer_graph(model: bytes) -> bytes:
    """The graph as a serialised ONNX model.

    Args:
        model: the vendor's ONNX model: int8 weights (k, n) named `…_q` with scales (1, n) named `…_scale`.

    Returns:
        a model that takes `input_ids`, int64 (windows, tokens), all windows equally long, and gives `hidden`, float32
        (windows, tokens, 384).
    """
    import onnx

    graph = onnx.load_model_from_string(model).graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    # The products of a layer in the order of the graph: query, key, value, attention's output, up, down.
    products = [node.input[1] for node in graph.node if node.op_type == "MatMul" and f"{node.input[1]}_q" in values]
    made = _Graph()
    hidden = _embedded(made, values)
    for layer in range(LAYERS):
        at = layer * 6
        weights = [(values[f"{name}_q"], values[f"{name}_scale"][0]) for name in products[at : at + 6]]
        parameters = {
            name.removeprefix(f"inner.encoder.layer.{layer}."): value
            for name, value in values.items()
            if name.startswith(f"inner.encoder.layer.{layer}.")
        }
        hidden = _layer(made, hidden, weights, parameters)
    return made.serialised(made.add("Reshape", hidden, made.shape(WIDTH)))


def _embedded(made: "_Graph", values: Mapping[str, Array]) -> str:
    """Sum of the embeddings of token, place and kind, normalised: (windows * tokens, 384)."""
    word, place = "inner.embeddings.word_embeddings.weight", "inner.embeddings.position_embeddings.weight"
    quantised = made.add("Gather", made.constant(values[f"{word}_q"]), "input_ids")
    scale = made.add("Gather", made.constant(values[f"{word}_scale"]), "input_ids")
    words = made.add("Mul", made.add("Cast", quantised, to=_FLOAT), scale)
    places = values[f"{place}_q"].astype(np.float32) * values[f"{place}_scale"]
    places = places + values["inner.embeddings.token_type_embeddings.weight"][0]
    start, tokens = made.constant(np.array([0])), made.add("Shape", "input_ids", start=1)
    summed = made.add("Add", words, made.add("Slice", made.constant(places), start, tokens, start))
    norm = "inner.embeddings.LayerNorm"
    return made.add("Reshape", made.norm(summed, values[f"{norm}.weight"], values[f"{norm}.bias"]), made.rows())


def _layer(made: "_Graph", hidden: str, weights: list[tuple[Array, Array]], parameters: Mapping[str, Array]) -> str:
    """One layer of attention and feed-forward, (windows * tokens, 384) to the same."""
    attention, output = "attention.self", "attention.output"
    joined = np.concatenate([each for each, _ in weights[:3]], 1), np.concatenate([each for _, each in weights[:3]])
    bias = np.concatenate([parameters[f"{attention}.{each}.bias"] for each in ("query", "key", "value")])
    three = made.add("Reshape", made.linear(hidden, joined, bias), made.shape(3, HEADS, WIDTH // HEADS))
    three = made.add("Transpose", three, perm=[2, 0, 3, 1, 4])
    query, key, value = (made.add("Gather", three, made.constant(np.array(each)), axis=0) for each in range(3))
    scores = made.add("MatMul", query, made.add("Transpose", key, perm=[0, 1, 3, 2]))
    scores = made.add("Mul", scores, made.constant(np.float32((WIDTH / HEADS) ** -0.5)))
    attended = made.add("MatMul", made.add("Softmax", scores, axis=-1), value)
    attended = made.add("Reshape", made.add("Transpose", attended, perm=[0, 2, 1, 3]), made.rows())
    attended = made.linear(attended, weights[3], parameters[f"{output}.dense.bias"])
    norm = f"{output}.LayerNorm"
    middle = made.norm(made.add("Add", attended, hidden), parameters[f"{norm}.weight"], parameters[f"{norm}.bias"])
    up = made.add("Gelu", made.linear(middle, weights[4], parameters["intermediate.dense.bias"]))
    down = made.linear(up, weights[5], parameters["output.dense.bias"], minimum=_GELU_MINIMUM)
    norm = "output.LayerNorm"
    return made.norm(made.add("Add", down, middle), parameters[f"{norm}.weight"], parameters[f"{norm}.bias"])


_FLOAT = 1  # onnx.TensorProto.FLOAT


class _Graph:
    """Nodes and constants of a graph that grows by one node a call; a value is the name of what made it."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx.helper import make_node

        self._nodes.append(make_node(kind, list(inputs), [f"value{len(self._nodes)}"], **attributes))
        return f"value{len(self._nodes) - 1}"

    def constant(self, value: Array | np.generic) -> str:
        from onnx.numpy_helper import from_array

        self._constants.append(from_array(np.asarray(value, order="C"), f"constant{len(self._constants)}"))
        return f"constant{len(self._constants) - 1}"

    def rows(self) -> str:
        """The shape (windows * tokens, 384)."""
        return self.constant(np.array([-1, WIDTH]))

    def shape(self, *last: int) -> str:
        """The shape (windows, tokens, *last)."""
        return self.add("Concat", self.add("Shape", "input_ids"), self.constant(np.array(last)), axis=0)

    def norm(self, value: str, weight: Array, bias: Array) -> str:
        return self.add(
            "LayerNormalization", value, self.constant(weight), self.constant(bias), axis=-1, epsilon=_EPSILON
        )

    def linear(self, value: str, weight: tuple[Array, Array], bias: Array, *, minimum: float | None = None) -> str:
        """`value` (rows, k) times a weight (k, n) of int8 with scales (n,), plus a bias (n,).

        Args:
            minimum: no number of `value` is below it; None where numbers are about as far below 0 as above.
        """
        quantised, scale = weight
        scale = scale.astype(np.float32)
        if minimum is None:
            levels, zero = _LEVELS, np.array(_ZERO, np.uint8)
            largest = self.add("Abs", value)
        else:
            levels, zero = _GELU_LEVELS, np.array(0, np.uint8)
            value = largest = self.add("Sub", value, self.constant(np.float32(minimum)))
            bias = bias + minimum * (quantised.astype(np.float64) * scale).sum(axis=0)
        largest = self.add("ReduceMax", largest, self.constant(np.array([-1])), keepdims=1)
        step = self.add("Mul", largest, self.constant(np.float32(1 / levels)))
        step = self.add("Max", step, self.constant(np.float32(_EPSILON)))
        steps = self.add("Reshape", step, self.constant(np.array([-1])))
        zeros = self.add("Expand", self.constant(zero), self.add("Shape", steps))
        whole = self.add("QuantizeLinear", value, steps, zeros, axis=0)
        product = self.add("MatMulInteger", whole, self.constant(quantised), self.constant(zero))
        product = self.add("Mul", self.add("Cast", product, to=_FLOAT), self.constant(scale))
        return self.add("Add", self.add("Mul", product, step), self.constant(bias.astype(np.float32)))

    def serialised(self, output: str) -> bytes:
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "minilm",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["windows", "tokens"])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["windows", "tokens", WIDTH])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        content: bytes = model.SerializeToString()
        return content
