package dev.jformer.tensor;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

@ExtendWith(Scoped.class)
class OperatorTest {
  private final Tensor x = Tensor.of(new double[] {1, -2, 3, 4, -5, 6}, 2, 3);

  private static Operator op(String name) {
    return Operator.named(name);
  }

  @Test
  void scalarsAndTheirDefaults() {
    Operator add = op("aten::add.Tensor");
    assertEquals(
        "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", add.schema());
    assertArrayEquals(new double[] {2, -4, 6, 8, -10, 12}, add.call(x, x).toDoubles());
    assertArrayEquals(new double[] {1.5, -3, 4.5, 6, -7.5, 9}, add.call(x, x, 0.5).toDoubles());
    assertArrayEquals(new double[] {3, -6, 9, 12, -15, 18}, add.call(x, x, 2).toDoubles());
    Operator pow = op("aten::pow.Tensor_Scalar");
    assertArrayEquals(new double[] {1, 4, 9, 16, 25, 36}, pow.call(x, 2L).toDoubles());
  }

  @Test
  void optionalsMayBeAbsent() {
    Operator clamp = op("aten::clamp");
    assertArrayEquals(new double[] {1, 0, 3, 4, 0, 6}, clamp.call(x, 0.0).toDoubles());
    assertArrayEquals(new double[] {1, -2, 2, 2, -5, 2}, clamp.call(x, null, 2).toDoubles());
    Operator sum = op("aten::sum.dim_IntList");
    assertArrayEquals(new double[] {2, 5}, sum.call(x, new long[] {1}).toDoubles());
    assertEquals("[2x1]", sum.call(x, List.of(1), true).shape().toString());
    Tensor rounded = sum.call(x, List.of(0, 1), false, DType.FLOAT32);
    assertEquals(DType.FLOAT32, rounded.dtype());
    assertEquals(7, rounded.item());
    assertEquals(7, sum.call(x, null).item(), "no list: all dimensions");
    Operator linear = op("aten::linear");
    assertTrue(linear.call(x, x).sameAs(linear.call(x, x, null)));
  }

  @Test
  void listsOfTensorsGoInAndOut() {
    Tensor joined = op("aten::cat").call(List.of(x, x), -1);
    assertEquals("[2x6]", joined.shape().toString());
    List<Tensor> parts = op("aten::split_with_sizes").callAll(x, new long[] {1, 2}, 1);
    assertEquals(2, parts.size());
    assertArrayEquals(new double[] {-2, 3, -5, 6}, parts.get(1).toDoubles());
    List<Tensor> norms = op("aten::_foreach_norm.Scalar").callAll(List.of(x, x.mul(2)), 1.0);
    assertEquals(21, norms.get(0).item());
    assertEquals(42, norms.get(1).item());
  }

  @Test
  void listsMayHoldAbsentTensors() {
    Tensor columns = Tensor.of(new long[] {2, 0});
    Tensor picked = op("aten::index.Tensor").call(x, Arrays.asList(null, columns));
    assertArrayEquals(new double[] {3, 1, 6, 4}, picked.toDoubles());
  }

  @Test
  void listsOfNumbersAndFlags() {
    Tensor wide = op("aten::upsample_nearest1d.vec").call(x.unsqueeze(0), null, new double[] {2.0});
    assertEquals("[1x2x6]", wide.shape().toString());
    Tensor weight = Tensor.of(new double[] {1, 1, 1});
    List<Tensor> gradients =
        op("aten::native_layer_norm_backward")
            .callAll(
                x,
                x,
                new long[] {3},
                Tensor.zeros(DType.FLOAT64, 2, 1),
                Tensor.ones(2, 1).to(DType.FLOAT64),
                weight,
                weight,
                List.of(false, true, true));
    assertEquals(2, gradients.stream().filter(g -> g != null).count());
  }

  @Test
  void stringsAndSeveralResults() {
    Operator gelu = op("aten::gelu");
    assertClose(Arrays.stream(x.toDoubles()).map(Loops::gelu).toArray(), gelu.call(x), 1e-12);
    assertClose(
        Arrays.stream(x.toDoubles()).map(Loops::geluTanh).toArray(), gelu.call(x, "tanh"), 1e-12);
    List<Tensor> top = op("aten::topk").callAll(x, 1);
    assertArrayEquals(new double[] {3, 6}, top.get(0).toDoubles());
    assertArrayEquals(new long[] {2, 2}, top.get(1).toLongs());
  }

  @Test
  void kernelsWithoutABinding() {
    Tensor a = Tensor.randint(-128, 128, 32, 16).to(DType.INT8);
    Tensor b = Tensor.randint(-128, 128, 16, 24).to(DType.INT8);
    Tensor product = op("aten::_int_mm").call(a, b);
    assertEquals(DType.INT32, product.dtype());
    assertArrayEquals(a.to(DType.INT64).matmul(b.to(DType.INT64)).toLongs(), product.toLongs());
  }

  @Test
  void gradientsFlowThroughOperators() {
    Tensor leaf = x.copy().requiresGrad(true);
    op("aten::mul.Tensor").call(leaf, leaf).sum().backward();
    assertClose(x.mul(2), leaf.grad(), 1e-12);
  }

  private static void says(Executable body, String... fragments) {
    String message = assertThrows(TensorException.class, body).getMessage();
    for (String fragment : fragments) {
      assertTrue(message.contains(fragment), "'" + message + "' does not say '" + fragment + "'");
    }
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void wrongCallsAreErrors() {
    says(() -> op("aten::no_such_thing"), "aten::no_such_thing");
    says(() -> op("aten::add.NoOverload"), "aten::add.NoOverload");
    says(() -> op("nonsense"), "nonsense");
    Operator add = op("aten::add.Tensor");
    says(() -> add.call(x), "aten::add.Tensor", "other");
    says(() -> add.call(x, x, 1, 2), "aten::add.Tensor", "3", "4");
    says(() -> add.call(x, "text"), "aten::add.Tensor", "float64[2x3]");
    says(() -> add.call(x, null), "aten::add.Tensor");
    says(() -> add.call(x, Tensor.ones(5)), "aten::add.Tensor(float64[2x3], float32[5])");
    Operator narrow = op("aten::narrow");
    says(() -> narrow.call(x, 1.5, 0, 1), "aten::narrow", "dim", "1.5");
    says(() -> narrow.call(x, 1, 0.5, 1), "aten::narrow", "start", "0.5");
    says(() -> narrow.call(x, x, 0, 1), "aten::narrow");
    Operator cat = op("aten::cat");
    says(() -> cat.call(x), "aten::cat", "tensors");
    says(() -> cat.call(List.of(x, 3)), "aten::cat");
    says(() -> cat.call(List.of(x, Tensor.ones(5))), "aten::cat", "float64[2x3], float32[5]");
    says(() -> op("aten::relu").call(new Object()), "aten::relu", "self");
  }

  @Test
  void anOperatorServesAllScopesAndThreads() throws InterruptedException {
    Operator relu;
    try (Scope scope = Scope.open()) {
      relu = op("aten::relu");
    }
    Thread thread = new Thread(() -> relu.call(x));
    thread.start();
    thread.join();
    for (int i = 0; i < 3; i++) {
      try (Scope scope = Scope.open()) {
        assertEquals(14, relu.call(x).sum().item());
        assertTrue(relu.schema().startsWith("aten::relu("));
      }
    }
  }
}
