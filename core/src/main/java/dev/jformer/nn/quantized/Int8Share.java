package dev.jformer.nn.quantized;

import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Tensor;
import java.util.Map;

/**
 * Measures the share of activations that a model of {@link Int8Linear} layers multiplies in 8 bits:
 * those in features that are no outliers for any token of a call. It counts all passes of the model
 * until it is closed.
 *
 * <pre>{@code
 * try (Int8Share share = Int8Share.of(model)) {
 *   model.logits(ids);
 *   System.out.println(share.value());
 * }
 * }</pre>
 */
public final class Int8Share implements AutoCloseable {
  private final ForwardHook hook;
  private double regular;
  private double all;

  private Int8Share(Module model) {
    Map<String, Module> modules = model.modules();
    hook =
        ForwardHook.on(
            model,
            name -> modules.get(name) instanceof Int8Linear,
            seen -> count((Int8Linear) modules.get(seen.layer()), seen.input()));
  }

  /**
   * Begins to count.
   *
   * @throws IllegalArgumentException if the model has no 8-bit layers
   */
  public static Int8Share of(Module model) {
    return new Int8Share(model);
  }

  private void count(Int8Linear layer, Tensor x) {
    Tensor outliers = layer.outliers(x.flatten(0, x.rank() - 2));
    long features = x.size(x.rank() - 1);
    long left = features - (outliers == null ? 0 : outliers.elements());
    regular += (double) x.elements() / features * left;
    all += x.elements();
  }

  /** The share, 0 to 1; NaN before the first pass. */
  public double value() {
    return regular / all;
  }

  @Override
  public void close() {
    hook.close();
  }
}
