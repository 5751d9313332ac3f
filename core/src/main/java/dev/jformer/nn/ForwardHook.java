package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Observes inputs and outputs of a model's layers while it runs, for example to find outliers or
 * ranges. The layers are wrapped until the hook is closed; then the model is as before.
 *
 * <pre>{@code
 * try (ForwardHook hook = ForwardHook.on(model, name -> name.endsWith(".mixed"), seen -> …)) {
 *   model.logits(ids);
 * }
 * }</pre>
 */
public final class ForwardHook implements AutoCloseable {
  /**
   * The output of a layer.
   *
   * @param layer its dotted name
   * @param output its output; within a block it lives until the block has run, unless it is kept
   * @param input its input; lives as long
   */
  public record Output(String layer, Tensor output, Tensor input) {}

  private final Module model;
  private final List<HookedLayer> hooked = new ArrayList<>();

  private ForwardHook(Module model) {
    this.model = model;
  }

  /**
   * Hooks into layers.
   *
   * @param names selects layers by their dotted names as in {@link Module#modules}
   * @param consumer called each time one of them has run
   * @throws IllegalArgumentException if no layer is selected
   */
  public static ForwardHook on(Module model, Predicate<String> names, Consumer<Output> consumer) {
    return on(model, names, consumer, false);
  }

  /**
   * Hooks into layers to compute losses of what they put out: inputs and outputs keep their
   * gradients. What is to outlive its block has to be kept ({@link Tensor#keep}). See {@link #on}.
   */
  public static ForwardHook withGradients(
      Module model, Predicate<String> names, Consumer<Output> consumer) {
    return on(model, names, consumer, true);
  }

  private static ForwardHook on(
      Module model, Predicate<String> names, Consumer<Output> consumer, boolean attached) {
    ForwardHook hook = new ForwardHook(model);
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof Layer layer && !name.isEmpty() && names.test(name)) {
                hook.hooked.add(new HookedLayer(name, layer, consumer, attached));
              }
            });
    if (hook.hooked.isEmpty()) {
      throw new IllegalArgumentException(
          "no layer is selected: the layers are "
              + model.modules().entrySet().stream()
                  .filter(e -> e.getValue() instanceof Layer)
                  .map(java.util.Map.Entry::getKey)
                  .toList());
    }
    // Parents come before their children here, so a wrapped layer may be within a wrapped one.
    hook.hooked.forEach(each -> model.replace(each.name, each));
    return hook;
  }

  /** Removes the hooks. */
  @Override
  public void close() {
    for (HookedLayer each : hooked) {
      model.replace(each.name, each.inner);
    }
  }

  private static final class HookedLayer extends Layer {
    private final String name;
    private final Layer inner;
    private final Consumer<Output> consumer;
    private final boolean attached;

    HookedLayer(String name, Layer inner, Consumer<Output> consumer, boolean attached) {
      this.attached = attached;
      this.name = name;
      this.inner = inner;
      this.consumer = consumer;
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor output = inner.forward(x);
      consumer.accept(
          attached ? new Output(name, output, x) : new Output(name, output.detach(), x.detach()));
      return output;
    }
  }
}
