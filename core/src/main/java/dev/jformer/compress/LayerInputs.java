package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.nn.Probe;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What layers of a model are given while it is calibrated: the range of all of it, and a sample of
 * its rows that is spread evenly over the data, whatever the batches.
 */
final class LayerInputs implements AutoCloseable {
  /**
   * What one layer was given.
   *
   * @param rows float32 [N, in]
   * @param low the smallest number, those outside of the sample too
   * @param high the largest
   */
  record Seen(Tensor rows, double low, double high) {}

  private final int most;
  private final Map<String, Collector> collectors = new LinkedHashMap<>();

  private LayerInputs(int most) {
    this.most = most;
  }

  /**
   * Runs a model, in inference, and looks.
   *
   * @param model as it was afterwards
   * @param most the most rows of a sample
   * @throws IllegalArgumentException if a layer was not run, or was given or gave numbers that are
   *     not finite
   */
  static LayerInputs collect(Model model, Set<String> layers, Calibration data, int most) {
    if (data == null) {
      throw new IllegalArgumentException(
          "there is no calibration data: quantizing activations needs data to find their range");
    }
    LayerInputs inputs = new LayerInputs(most);
    layers.forEach(name -> inputs.collectors.put(name, inputs.new Collector(name)));
    boolean training = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad();
        Scope scope = Scope.open();
        Probe probe =
            Probe.on(
                model, layers::contains, seen -> inputs.collectors.get(seen.layer()).add(seen))) {
      data.run(model);
      inputs.collectors.values().forEach(Collector::expectData);
      return inputs;
    } catch (RuntimeException | Error e) {
      inputs.close();
      throw e;
    } finally {
      model.train(training);
    }
  }

  /** What a layer was given. */
  Seen of(String layer) {
    Collector collector = collectors.get(layer);
    Tensor rows = collector.rows;
    // At most twice as many as wanted were kept.
    long every = (rows.size(0) + most - 1) / most;
    return new Seen(everyNth(rows, 0, every), collector.low, collector.high);
  }

  private static Tensor everyNth(Tensor rows, long first, long every) {
    long count = Math.max(0, (rows.size(0) - first + every - 1) / every);
    return rows.indexSelect(0, Tensor.arange(0, count).mul(every).add(first));
  }

  @Override
  public void close() {
    collectors.values().forEach(Collector::close);
  }

  /** Keeps every nth row; when there are too many, every other one of them, and n doubles. */
  private final class Collector {
    private final String name;
    private Tensor rows;
    private long every = 1;
    private long count;
    private double low = Double.POSITIVE_INFINITY;
    private double high = Double.NEGATIVE_INFINITY;

    Collector(String name) {
      this.name = name;
    }

    void add(Probe.Output seen) {
      try (Scope scope = Scope.open()) {
        Tensor flat = seen.input().reshape(-1, seen.input().size(-1)).to(DType.FLOAT32);
        expectFinite(flat, "was given");
        expectFinite(seen.output(), "gave");
        if (flat.elements() == 0) {
          return;
        }
        low = Math.min(low, flat.min().item());
        high = Math.max(high, flat.max().item());
        long first = (every - count % every) % every;
        count += flat.size(0);
        replace(join(everyNth(flat, first, every)));
        while (rows.size(0) > 2L * most) {
          every *= 2;
          replace(everyNth(rows, 0, 2));
        }
      }
    }

    private Tensor join(Tensor more) {
      return rows == null ? more : Tensor.cat(0, rows, more);
    }

    private void replace(Tensor others) {
      Tensor old = rows;
      rows = others.keep();
      if (old != null) {
        old.close();
      }
    }

    private void expectFinite(Tensor x, String did) {
      if (!x.isFinite().all()) {
        throw new IllegalArgumentException(
            "calibrating, the layer "
                + name
                + " "
                + did
                + " numbers that are not finite: the model or the data is broken");
      }
    }

    void expectData() {
      if (rows == null) {
        throw new IllegalArgumentException(
            "the calibration data is empty: the layer " + name + " was not run");
      }
    }

    void close() {
      if (rows != null) {
        rows.close();
      }
    }
  }
}
