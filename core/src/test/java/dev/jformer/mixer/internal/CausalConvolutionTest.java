package dev.jformer.mixer.internal;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against plain sums, with blocks from one token to the whole sequence. */
@ExtendWith(Scoped.class)
class CausalConvolutionTest {
  private static final int BATCH = 2;

  @ParameterizedTest
  @CsvSource({
    "1, 1, 3",
    "1, 4, 1",
    "2, 4, 2",
    "7, 1, 3",
    "7, 2, 3",
    "13, 4, 2",
    "16, 4, 3",
    "33, 4, 2",
    "33, 64, 2",
    "64, 8, 2",
    "100, 3, 1"
  })
  void sumsOverAllDistances(int tokens, int longest, int width) {
    CausalConvolution convolution = new CausalConvolution(longest);
    Tensor x = random(BATCH, tokens, width);
    double[] values = x.toDoubles();
    for (int channels : new int[] {1, width}) {
      Tensor weights = random(tokens, channels);
      double[] w = weights.toDoubles();
      double[] expected = new double[values.length];
      for (int b = 0; b < BATCH; b++) {
        for (int t = 0; t < tokens; t++) {
          for (int d = 0; d < width; d++) {
            for (int j = 0; j <= t; j++) {
              expected[(b * tokens + t) * width + d] +=
                  w[j * channels + d % channels] * values[(b * tokens + t - j) * width + d];
            }
          }
        }
      }
      assertClose(expected, convolution.channels(x, weights), 1e-10, "channels");
    }
    int out = width + 1;
    Tensor weights = random(tokens, width, out);
    double[] w = weights.toDoubles();
    double[] expected = new double[BATCH * tokens * out];
    for (int b = 0; b < BATCH; b++) {
      for (int t = 0; t < tokens; t++) {
        for (int o = 0; o < out; o++) {
          for (int j = 0; j <= t; j++) {
            for (int d = 0; d < width; d++) {
              expected[(b * tokens + t) * out + o] +=
                  w[(j * width + d) * out + o] * values[(b * tokens + t - j) * width + d];
            }
          }
        }
      }
    }
    assertClose(expected, convolution.matrices(x, weights), 1e-10, "matrices");
  }

  /**
   * The sums are linear in x and in the weights, so their gradients follow from the sums
   * themselves: ⟨g, w * x⟩ is the same as ⟨its gradient, x⟩ for every x, and likewise for w.
   */
  @ParameterizedTest
  @CsvSource({"7, 2, 3", "13, 4, 2", "33, 4, 2"})
  void gradientsAreTheAdjoints(int tokens, int longest, int width) {
    CausalConvolution convolution = new CausalConvolution(longest);
    List<Tensor> kinds =
        List.of(random(tokens, 1), random(tokens, width), random(tokens, width, width));
    for (Tensor kind : kinds) {
      Tensor x = random(BATCH, tokens, width).requiresGrad(true);
      Tensor w = kind.requiresGrad(true);
      Tensor y = apply(convolution, x, w);
      Tensor g = random(y.shape().toArray());
      List<Tensor> gradients = Autograd.grad(y, g, false, x, w);
      Tensor otherX = random(BATCH, tokens, width);
      Tensor otherW = random(w.shape().toArray());
      assertClose(
          g.mul(apply(convolution, otherX, w.detach())).sum(),
          gradients.get(0).mul(otherX).sum(),
          1e-10);
      assertClose(
          g.mul(apply(convolution, x.detach(), otherW)).sum(),
          gradients.get(1).mul(otherW).sum(),
          1e-10);
    }
  }

  /** Where a Fourier transform over everything would leave traces of later tokens. */
  @ParameterizedTest
  @CsvSource({"40, 1", "40, 5", "200, 16"})
  void laterTokensLeaveNoTrace(int tokens, int longest) {
    CausalConvolution convolution = new CausalConvolution(longest);
    int width = 3;
    Tensor x = Tensor.randn(BATCH, tokens, width);
    List<Tensor> kinds =
        List.of(
            Tensor.randn(tokens, 1),
            Tensor.randn(tokens, width),
            Tensor.randn(tokens, width, width));
    for (Tensor w : kinds) {
      Tensor y = apply(convolution, x, w);
      for (int t = 1; t < tokens; t += 3) {
        Tensor later = Tensor.randn(BATCH, tokens - t, width).mul(1e6);
        Tensor changed = apply(convolution, Tensor.cat(1, x.narrow(1, 0, t), later), w);
        assertSame(y.narrow(1, 0, t), changed.narrow(1, 0, t), "before " + t);
      }
    }
  }

  private static Tensor apply(CausalConvolution convolution, Tensor x, Tensor w) {
    return w.shape().rank() == 2 ? convolution.channels(x, w) : convolution.matrices(x, w);
  }

  private static Tensor random(long... shape) {
    return Tensor.empty(DType.FLOAT64, shape).normal_(0, 1);
  }
}
