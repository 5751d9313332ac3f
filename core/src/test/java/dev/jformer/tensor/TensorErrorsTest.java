package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

@ExtendWith(Scoped.class)
class TensorErrorsTest {
  private static String message(Executable body) {
    String message = assertThrows(TensorException.class, body).getMessage();
    assertFalse(message.contains("\n"), "one line: " + message);
    return message;
  }

  private static void says(Executable body, String... fragments) {
    String message = message(body);
    for (String fragment : fragments) {
      assertTrue(message.contains(fragment), "'" + message + "' does not say '" + fragment + "'");
    }
  }

  @Test
  void errorsNameTheOperatorAndItsOperands() {
    Tensor a = Tensor.zeros(2, 3);
    Tensor b = Tensor.zeros(DType.FLOAT64, 4, 5);
    says(() -> a.matmul(b), "matmul(float32[2x3], float64[4x5])");
    says(() -> a.add(b), "add(float32[2x3], float64[4x5])");
    says(() -> Tensor.cat(0, a, b), "cat(float32[2x3], float64[4x5])");
    says(() -> Tensor.einsum("ij,jk->ik", a, b), "einsum ij,jk->ik(float32[2x3]");
    says(() -> a.reshape(7), "reshape(float32[2x3])", "7");
    says(() -> a.select(0, 2), "select(float32[2x3])");
    says(() -> a.size(2), "size(float32[2x3])");
    says(() -> a.item(), "item(float32[2x3])");
    says(() -> a.split(1, 1, 1), "split(float32[2x3])");
    says(() -> Functional.linear(a, b, null), "linear(float32[2x3], float64[4x5], none)");
    says(() -> Functional.embedding(a, b), "embedding(float32[2x3], float64[4x5])");
    says(() -> Functional.layerNorm(a, Tensor.zeros(4), null, 1), "layer_norm(", "float32[4]");
    Tensor index = Tensor.zeros(DType.INT64, 3);
    says(() -> a.copy().indexAdd_(0, index, b), "index_add_(float32[2x3], int64[3], float64[4x5])");
    says(() -> a.requiresGrad(true).add(1).backward(), "backward(float32[2x3])");
    says(() -> Autograd.grad(a.sum(), b, false, a), "grad", "[4x5]", "[]");
    says(() -> a.mul(2).backward(Tensor.ones(1, 3)), "backward", "[1x3]", "[2x3]");
    says(() -> Autograd.grad(a.mul(2), null, false, a), "grad(float32[2x3]");
  }

  @Test
  void releasedTensorsAreNamed() {
    Tensor a = Tensor.zeros(2, 3);
    Tensor closed = Tensor.zeros(3);
    closed.close();
    assertTrue(closed.isClosed());
    assertEquals("Tensor(closed)", closed.toString());
    says(() -> a.add(closed), "add(float32[2x3], closed tensor)", "released");
    says(() -> closed.add(a), "add(closed tensor, float32[2x3])", "released");
    says(() -> closed.relu(), "relu(closed tensor)", "released");
    says(() -> closed.add_(1), "add_(closed tensor)", "released");
    says(() -> a.copy_(closed), "copy_(float32[2x3], closed tensor)");
    says(() -> Tensor.cat(0, a, closed), "cat(float32[2x3], closed tensor)");
    says(() -> Functional.linear(a, closed, null), "linear(float32[2x3], closed tensor, none)");
    says(() -> Functional.linear(a, a, closed), "closed tensor");
    says(() -> Functional.gelu(closed), "gelu(closed tensor)");
    says(() -> Functional.layerNorm(closed, null, null, 1), "layer_norm(closed tensor");
    says(() -> Operator.named("aten::relu").call(closed), "aten::relu", "closed tensor");
    says(() -> Operator.named("aten::cat").call(List.of(a, closed)), "aten::cat", "closed tensor");
    for (Executable read :
        List.<Executable>of(
            closed::shape,
            closed::rank,
            closed::elements,
            closed::dtype,
            closed::device,
            closed::toFloats,
            closed::item,
            closed::asBuffer,
            closed::grad,
            closed::backward,
            closed::clearGrad,
            closed::requiresGrad,
            closed::isContiguous)) {
      says(read, "released");
    }
    closed.close();
  }

  @Test
  void missingTensorsAreNamed() {
    Tensor a = Tensor.zeros(2, 3);
    says(() -> a.add((Tensor) null), "add(float32[2x3], none)");
    says(() -> Tensor.cat(0, a, null), "cat(float32[2x3], none)");
    says(() -> Functional.linear(a, null, null), "linear(float32[2x3], none, none)");
  }

  @Test
  void valuesMustFillTheShape() {
    says(() -> Tensor.of(new float[5], 2, 3), "5 values", "[2x3]", "6");
    says(() -> Tensor.of(new float[6], -2, -3), "-2");
    says(() -> Tensor.zeros(-1), "zeros");
    says(() -> Shape.of(2, 3).size(2), "dimension 2", "[2x3]");
    says(() -> Tensor.zeros(1L << 40, 1L << 40), "zeros");
  }

  /** Wrong shapes in several threads at once: the binding's presets have crashed on these. */
  @Test
  void errorsInSeveralThreadsAreErrorsOnly() throws Exception {
    int threads = 4;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Callable<Integer>> work = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int columns = 3 + i;
        work.add(
            () -> {
              int errors = 0;
              for (int round = 0; round < 50; round++) {
                try (Scope scope = Scope.open()) {
                  Tensor a = Tensor.ones(2, columns);
                  try {
                    a.matmul(Tensor.ones(columns + 1, 2));
                  } catch (TensorException e) {
                    errors += e.getMessage().contains("[2x" + columns + "]") ? 1 : 0;
                  }
                  assertEquals(4 * columns, a.matmul(Tensor.ones(columns, 2)).sum().item());
                }
              }
              return errors;
            });
      }
      for (Future<Integer> result : pool.invokeAll(work)) {
        assertEquals(50, result.get());
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
