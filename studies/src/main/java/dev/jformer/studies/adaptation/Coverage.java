package dev.jformer.studies.adaptation;

import dev.jformer.adapt.AdaptationData;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.LowRankFactors;
import dev.jformer.model.Encoder;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How much of the variance of what layers see an adapter's matrices A cover, as a share of what the
 * exact principal components of the same inputs cover.
 *
 * @param batches that the adapter looked at
 * @param layers the share of each layer, 0 to 1
 */
record Coverage(long batches, List<Layer> layers) {
  private static final Operator EIGENVALUES = Operator.named("aten::linalg_eigvalsh");

  /** The share of one layer. */
  record Layer(String name, double share) {}

  /** The smallest share of a layer. */
  double least() {
    return layers.stream().mapToDouble(Layer::share).min().orElseThrow();
  }

  /** The mean share of the layers. */
  double mean() {
    return layers.stream().mapToDouble(Layer::share).average().orElseThrow();
  }

  /**
   * Measures an adapter on the batches that it looks at.
   *
   * @param given the number of batches for an adapter that looks at none
   */
  static Coverage of(Encoder model, Task task, Adapter adapter, long given) {
    List<AdapterTarget> targets = Adapters.targets(model, List.of());
    Batches batches = new Batches(model, task);
    Map<AdapterTarget, LowRankFactors> starts;
    try (Mode mode = Autograd.noGrad()) {
      starts = adapter.begin(targets, batches);
    }
    long count = adapter.needsData() ? batches.run : given;
    Map<String, Tensor> seen = covariances(model, batches, starts, count);
    Map<String, Double> shares = new LinkedHashMap<>();
    starts.forEach(
        (target, start) -> {
          try (Scope scope = Scope.open()) {
            double share = share(start.a().to(DType.FLOAT64), seen.get(target.layer()));
            shares.merge(target.layer(), share, Math::min);
          }
        });
    List<Layer> layers = new ArrayList<>();
    shares.forEach((name, share) -> layers.add(new Layer(name, share)));
    return new Coverage(count, layers);
  }

  private static double share(Tensor a, Tensor covariance) {
    double covered = a.matmul(covariance).mul(a).sum().item();
    double[] values = EIGENVALUES.call(covariance, "L").toDoubles(); // ascending
    double most = 0;
    for (int i = 0; i < a.size(0); i++) {
      most += values[values.length - 1 - i];
    }
    return covered / most;
  }

  private static Map<String, Tensor> covariances(
      Encoder model, Batches batches, Map<AdapterTarget, LowRankFactors> starts, long count) {
    Map<String, Moments> sums = new LinkedHashMap<>();
    starts.keySet().forEach(t -> sums.computeIfAbsent(t.layer(), n -> new Moments(t.width())));
    model.train(false);
    Tensor[] counted = new Tensor[1];
    try (Mode mode = Autograd.noGrad();
        ForwardHook hook =
            ForwardHook.on(
                model, sums::containsKey, s -> sums.get(s.layer()).add(s.input(), counted[0]))) {
      for (long batch = 0; batch < count; batch++) {
        try (Scope scope = Scope.open()) {
          counted[0] = batches.counted(batch);
          batches.run(batch);
        }
      }
    }
    Map<String, Tensor> all = new LinkedHashMap<>();
    sums.forEach((name, sum) -> all.put(name, sum.covariance()));
    return all;
  }

  /** Sums of rows and of their products, float64. */
  private static final class Moments {
    private final Tensor sum;
    private final Tensor products;
    private long rows;

    Moments(long width) {
      this.sum = Tensor.zeros(DType.FLOAT64, width);
      this.products = Tensor.zeros(DType.FLOAT64, width, width);
    }

    void add(Tensor input, Tensor counted) {
      Tensor x = input.reshape(-1, input.size(-1)).to(DType.FLOAT64);
      if (counted != null && counted.elements() == x.size(0)) {
        x = x.indexSelect(0, counted.reshape(-1).nonzero().reshape(-1));
      }
      rows += x.size(0);
      sum.copy_(sum.add(x.sum(0, false)));
      products.copy_(products.add(x.t().matmul(x)));
    }

    Tensor covariance() {
      Tensor mean = sum.div((double) rows);
      return products.div((double) rows).sub(mean.unsqueeze(1).matmul(mean.unsqueeze(0)));
    }
  }

  /** The batches of a task; counts those that are run. */
  private static final class Batches implements AdaptationData {
    private final Encoder model;
    private final Task task;
    private long run;

    Batches(Encoder model, Task task) {
      this.model = model;
      this.task = task;
    }

    @Override
    public void run(long index) {
      run = Math.max(run, index + 1);
      Tensor random = Random.state();
      task.loss(index);
      Random.restore(random);
    }

    @Override
    public Encoder model() {
      return model;
    }

    @Override
    public Tensor counted(long index) {
      return task.counted(index);
    }
  }
}
