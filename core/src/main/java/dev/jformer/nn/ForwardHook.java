package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Looks at what layers of a model take and give while it runs, for example to find outliers or
 * ranges. The layers are exchanged for ones that tell, until the probe is closed; the model is the
 * same after that.
 *
 * <pre>{@code
 * try (ForwardHook probe = ForwardHook.on(model, name -> name.endsWith(".mixed"), seen -> …)) {
 *   model.logits(ids);
 * }
 * }</pre>
 */
public final class ForwardHook implements AutoCloseable {
  /**
   * What a layer gave.
   *
   * @param layer its dotted name
   * @param output what it gave; lives as long as the scope that the model runs in
   * @param input what it was given; lives as long
   */
  public record Output(String layer, Tensor output, Tensor input) {}

  private final Module model;
  private final List<HookedLayer> telling = new ArrayList<>();

  private ForwardHook(Module model) {
    this.model = model;
  }

  /**
   * Begins to look.
   *
   * @param names which layers, by their dotted names as in {@link Module#modules}
   * @param consumer is told each time one of them has run
   * @throws IllegalArgumentException if no layer has such a name
   */
  public static ForwardHook on(Module model, Predicate<String> names, Consumer<Output> consumer) {
    ForwardHook probe = new ForwardHook(model);
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof Layer layer && !name.isEmpty() && names.test(name)) {
                probe.telling.add(new HookedLayer(name, layer, consumer));
              }
            });
    if (probe.telling.isEmpty()) {
      throw new IllegalArgumentException(
          "no layer has such a name: the layers are "
              + model.modules().entrySet().stream()
                  .filter(e -> e.getValue() instanceof Layer)
                  .map(java.util.Map.Entry::getKey)
                  .toList());
    }
    // Innermost first when they are taken off: a layer may stand within another one.
    probe.telling.forEach(each -> model.replace(each.name, each));
    return probe;
  }

  /** Puts the layers back. */
  @Override
  public void close() {
    for (HookedLayer each : telling) {
      model.replace(each.name, each.inner);
    }
  }

  private static final class HookedLayer extends Layer {
    private final String name;
    private final Layer inner;
    private final Consumer<Output> consumer;

    HookedLayer(String name, Layer inner, Consumer<Output> consumer) {
      this.name = name;
      this.inner = inner;
      this.consumer = consumer;
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor output = inner.forward(x);
      consumer.accept(new Output(name, output.detach(), x.detach()));
      return output;
    }
  }
}
