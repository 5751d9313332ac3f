package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class MetaModeTest {
  private static final long HUGE = 1L << 40;

  @Test
  void tensorsOfAnySizeTakeNoMemory() {
    try (Mode mode = MetaMode.open(100)) {
      for (Tensor tensor :
          List.of(
              Tensor.empty(DType.BFLOAT16, 4, HUGE),
              Tensor.zeros(4, HUGE),
              Tensor.ones(4, HUGE),
              Tensor.full(2, DType.INT8, 4, HUGE),
              Tensor.randn(4, HUGE),
              Tensor.rand(4, HUGE),
              Tensor.randint(0, 9, 4, HUGE))) {
        assertEquals(Shape.of(4, HUGE), tensor.shape());
      }
      assertEquals(Shape.of(HUGE), Tensor.arange(0, HUGE).shape());
      assertEquals(Shape.of(HUGE), Tensor.randperm(HUGE).shape());
      assertEquals(DType.BFLOAT16, Tensor.empty(DType.BFLOAT16, HUGE).dtype());
    }
    assertEquals(1, Tensor.ones(1).item()); // the mode has ended
  }

  @Test
  void operatorsYieldTheShapesThatTheyYieldOtherwise() {
    for (Function<Tensor, Tensor> body :
        List.<Function<Tensor, Tensor>>of(
            x -> x.normal_(0, 1).mul(3).add(Tensor.of(new float[] {1, 2, 3, 4, 5, 6})),
            x -> x.matmul(x.t()).softmax(-1).to(DType.FLOAT64),
            x -> Tensor.cat(0, x, Tensor.zeros(2, 6)).uniform_(-1, 1).sum(1, true),
            x -> x.unflatten(1, 2, 3).transpose(0, 1).contiguous().copy_(Tensor.ones(2, 4, 3)),
            x -> x.mul(Tensor.scalar(2)).maskedFill(x.eq(x), 1).detach().requiresGrad(true))) {
      Tensor real = body.apply(Tensor.ones(4, 6));
      try (Mode mode = MetaMode.open(100)) {
        Tensor dry = body.apply(Tensor.ones(4, 6));
        assertEquals(real.shape(), dry.shape());
        assertEquals(real.dtype(), dry.dtype());
      }
    }
  }

  @Test
  void drawsNoRandomNumbers() {
    Tensor before = Random.state();
    try (Mode mode = MetaMode.open(100)) {
      Tensor.randn(100);
      Tensor.rand(100);
      Tensor.randint(0, 5, 100);
      Tensor.randperm(100);
      Tensor.empty(DType.FLOAT32, 100).normal_(0, 1);
      Tensor.empty(DType.FLOAT32, 100).uniform_(0, 1);
    }
    assertTrue(before.sameAs(Random.state()));
  }

  @Test
  void valuesCannotBeRead() {
    Tensor dry;
    try (Mode mode = MetaMode.open(100)) {
      dry = Tensor.of(new float[] {1, 2});
    }
    for (Runnable read :
        List.<Runnable>of(
            dry::toFloats, dry::toBytes, dry::asBuffer, () -> dry.sum().item(), dry::device)) {
      String message = assertThrows(TensorException.class, read::run).getMessage();
      assertTrue(!message.contains("\n"), message);
    }
    assertTrue(dry.toString().contains("2"), dry.toString());
  }

  @Test
  void makesNoMoreTensorsThanAllowedAndEndsWithItsBlock() {
    try (Mode outer = MetaMode.open(3)) {
      Tensor.ones(1);
      try (Mode inner = MetaMode.open(1)) {
        Tensor.ones(1);
        String message = assertThrows(TensorException.class, () -> Tensor.ones(1)).getMessage();
        assertEquals(
            "more than 1 tensors were made: expected at most that many in MetaMode", message);
      }
      Tensor.ones(1);
      Tensor.ones(1);
      assertThrows(TensorException.class, () -> Tensor.ones(1));
    }
    assertEquals(4, Tensor.ones(4).sum().item());
  }
}
