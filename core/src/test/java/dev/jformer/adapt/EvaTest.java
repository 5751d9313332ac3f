package dev.jformer.adapt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.model.CausalLm;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares what EVA begins with to principal components of the layers' inputs, by Jacobi rotations
 * of their covariance in plain Java.
 */
@ExtendWith(Scoped.class)
class EvaTest {
  private static final int RANK = 3;

  /** The same rows in each batch, so that components converge to those of one batch. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Repeated(CausalLm model, Tensor ids, Tensor mask, int[] runs)
      implements AdaptationData {
    @Override
    public void run(long index) {
      runs[0]++;
      try (Mode mode = Autograd.noGrad()) {
        model.logits(ids);
      }
    }

    @Override
    public Tensor counted(long index) {
      return mask;
    }
  }

  private static Repeated data(int length) {
    CausalLm model = AdaptersTest.model();
    Random.seed(length);
    boolean[] counted = new boolean[4 * length];
    Arrays.fill(counted, true);
    for (int i = 0; i < length / 3; i++) {
      counted[4 * length - 1 - i] = false;
    }
    return new Repeated(
        model, Tensor.randint(0, 50, 4, length), Tensor.of(counted, 4, length), new int[1]);
  }

  /** Eigenvalues, descending, and eigenvectors of a layer's inputs. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Components(double[] values, double[][] vectors) {
    double ratio(int i) {
      return values[i] / Arrays.stream(values).sum();
    }
  }

  private static Map<String, Components> exact(Repeated data, Iterable<AdapterTarget> targets) {
    boolean[] counted = new boolean[(int) data.mask.elements()];
    long[] bits = data.mask.to(DType.INT64).toLongs();
    for (int i = 0; i < bits.length; i++) {
      counted[i] = bits[i] == 1;
    }
    Map<String, Components> all = new LinkedHashMap<>();
    List<String> names = new ArrayList<>();
    targets.forEach(target -> names.add(target.layer()));
    data.model.train(false);
    try (ForwardHook hook =
        ForwardHook.on(
            data.model,
            names::contains,
            seen -> {
              int width = (int) seen.input().size(-1);
              all.put(seen.layer(), components(seen.input().toDoubles(), width, counted));
            })) {
      data.run(0);
    }
    return all;
  }

  private static Components components(double[] rows, int width, boolean[] counted) {
    double[] mean = new double[width];
    int n = 0;
    for (int i = 0; i < counted.length; i++) {
      if (counted[i]) {
        n++;
        for (int j = 0; j < width; j++) {
          mean[j] += rows[i * width + j];
        }
      }
    }
    double[][] covariance = new double[width][width];
    for (int i = 0; i < counted.length; i++) {
      for (int j = 0; counted[i] && j < width; j++) {
        for (int k = 0; k < width; k++) {
          covariance[j][k] +=
              (rows[i * width + j] - mean[j] / n) * (rows[i * width + k] - mean[k] / n);
        }
      }
    }
    return jacobi(covariance);
  }

  private static Components jacobi(double[][] a) {
    int n = a.length;
    double[][] v = new double[n][n];
    for (int i = 0; i < n; i++) {
      v[i][i] = 1;
    }
    for (int sweep = 0; sweep < 30; sweep++) {
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          if (Math.abs(a[p][q]) > 1e-300) {
            rotate(a, v, p, q);
          }
        }
      }
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> -a[i][i]));
    double[] values = Arrays.stream(order).mapToDouble(i -> a[i][i]).toArray();
    double[][] vectors = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        vectors[i][j] = v[j][order[i]];
      }
    }
    return new Components(values, vectors);
  }

  private static void rotate(double[][] a, double[][] v, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.signum(theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    t = theta == 0 ? 1 : t;
    double c = 1 / Math.sqrt(t * t + 1);
    double s = t * c;
    for (int k = 0; k < a.length; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = c * x - s * y;
      a[k][q] = s * x + c * y;
      double m = v[k][p];
      double w = v[k][q];
      v[k][p] = c * m - s * w;
      v[k][q] = s * m + c * w;
    }
    for (int k = 0; k < a.length; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = c * x - s * y;
      a[q][k] = s * x + c * y;
    }
  }

  private static AdapterSettings settings() {
    return new AdapterSettings(RANK, 0, 0, List.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 20, 33, 63})
  void beginsWithThePrincipalComponentsOfWhatLayersSee(int length) {
    Repeated data = data(length);
    List<AdapterTarget> targets = Adapters.targets(data.model, List.of());
    Map<String, Components> exact = exact(data, targets);
    data.runs[0] = 0;
    Map<AdapterTarget, LowRankFactors> starts =
        new Eva(settings(), 1, 0.99, false, 50).begin(targets, data);
    assertTrue(data.runs[0] <= 3, "a batch that is repeated turns nothing: " + data.runs[0]);
    assertEquals(targets.size(), starts.size(), "rho = 1 keeps all ranks equal");
    starts.forEach(
        (target, start) -> {
          assertEquals(RANK, start.rank());
          double[] a = start.a().toDoubles();
          int width = (int) target.width();
          for (int i = 0; i < RANK; i++) {
            double[] right = exact.get(target.layer()).vectors()[i];
            double dot = 0;
            double largest = 0;
            for (int j = 0; j < width; j++) {
              dot += right[j] * a[i * width + j];
              double at = a[i * width + j];
              largest = Math.abs(at) > Math.abs(largest) ? at : largest;
            }
            assertEquals(1, Math.abs(dot), 1e-5, target + ", component " + i);
            assertTrue(largest > 0, "the largest entry is positive");
          }
          assertEquals(0, start.b().abs().sum().item(), "B begins at zero");
          assertEquals(2, start.scale(), "alpha / r");
        });
  }

  /** The ranks that a naive sort of all shares of variance gives. */
  @Test
  void ranksGoWhereTheyExplainMost() {
    Repeated data = data(40);
    List<AdapterTarget> targets = Adapters.targets(data.model, List.of());
    Map<String, Components> exact = exact(data, targets);
    List<double[]> shares = new ArrayList<>();
    for (int t = 0; t < targets.size(); t++) {
      for (int i = 0; i < 2 * RANK; i++) {
        shares.add(new double[] {t, exact.get(targets.get(t).layer()).ratio(i)});
      }
    }
    shares.sort(Comparator.comparingDouble(share -> -share[1]));
    int[] expected = new int[targets.size()];
    shares.stream().limit((long) RANK * targets.size()).forEach(s -> expected[(int) s[0]]++);
    Map<AdapterTarget, LowRankFactors> starts = new Eva(settings()).begin(targets, data);
    int[] found =
        targets.stream().mapToInt(t -> starts.containsKey(t) ? starts.get(t).rank() : 0).toArray();
    assertEquals(Arrays.toString(expected), Arrays.toString(found));
    assertTrue(Arrays.stream(found).distinct().count() > 1, Arrays.toString(found));
    starts.values().forEach(start -> assertEquals(2, start.scale(), "whatever the rank"));
  }

  @Test
  void refusesBatchesThatAreTooSmall() {
    CausalLm model = AdaptersTest.model();
    Repeated one = new Repeated(model, Tensor.randint(0, 50, 1, 2), null, new int[1]);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new Eva(settings()).begin(Adapters.targets(model, List.of()), one))
            .getMessage();
    assertTrue(message.contains("raise training.batch"), message);
    assertThrows(IllegalArgumentException.class, () -> new Eva(settings(), 0.5, 0.99, false, 1));
    assertThrows(IllegalArgumentException.class, () -> new Eva(settings(), 1, 1, false, 1));
  }
}
