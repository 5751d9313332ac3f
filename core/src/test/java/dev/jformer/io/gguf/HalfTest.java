package dev.jformer.io.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class HalfTest {
  @Test
  void allHalvesAreTheEnginesAndComeBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Half.toFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertEquals((short) bits, Half.of(value), Integer.toHexString(bits));
      }
    }
  }

  @Test
  void roundsAsTheEngineDoes() {
    float[] values = new float[200_000];
    java.util.Random random = new java.util.Random(3);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(-30, 20)));
    }
    values[0] = 65519.996f;
    values[1] = 65520;
    values[2] = 0x1p-25f;
    values[3] = Math.nextUp(0x1p-25f);
    values[4] = Math.nextDown(0x1p-14f);
    float[] theirs =
        Tensor.of(values, values.length).to(DType.FLOAT16).to(DType.FLOAT32).toFloats();
    for (int i = 0; i < values.length; i++) {
      assertEquals(theirs[i], Half.toFloat(Half.of(values[i])), "of " + values[i]);
    }
  }
}
