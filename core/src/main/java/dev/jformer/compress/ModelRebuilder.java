package dev.jformer.compress;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.nn.quantized.Roundable;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.UnaryOperator;

/**
 * Builds copies of models with another configuration or other linear layers: what a {@link
 * Compression} makes its result with.
 */
public final class ModelRebuilder {
  private ModelRebuilder() {}

  /**
   * A model of another configuration, in inference, with all weights that both have in common. Its
   * random draws leave no trace.
   */
  public static Model rebuilt(Model model, Model.Config config) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      Model rebuilt = config.build();
      Random.restore(random);
      rebuilt.copyFrom(model);
      rebuilt.train(false);
      return rebuilt;
    }
  }

  /**
   * As {@link #rebuilt}, with what the two do not have in common filled in. Nothing is left of a
   * model that could not be filled.
   */
  public static Model filled(Model model, Model.Config config, Consumer<Model> fill) {
    Model made = rebuilt(model, config);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      fill.accept(made);
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  /** A configuration with its projections changed. */
  public static Model.Config withProjection(Model.Config config, UnaryOperator<Projection> change) {
    return Configs.replace(config, Projection.class, change);
  }

  /** The projection of a model, the last of several; null if it has none. */
  public static Projection projection(Model model) {
    AtomicReference<Projection> found = new AtomicReference<>();
    withProjection(
        model.config(),
        projection -> {
          found.set(projection);
          return projection;
        });
    return found.get();
  }

  /**
   * Refuses models whose layers are not plain.
   *
   * @param method its type, which its layers' projection has too
   * @throws IllegalArgumentException if the model has no projections, or others than plain ones
   */
  public static void expectPlain(String method, Model.Config config) {
    int[] found = new int[1];
    withProjection(
        config,
        projection -> {
          found[0]++;
          if (!(projection instanceof Linear.Config)) {
            throw new IllegalArgumentException(refusal(method, projection));
          }
          return projection;
        });
    if (found[0] == 0) {
      throw new IllegalArgumentException(
          method
              + " takes models with linear layers that a projection makes: '"
              + config.type()
              + "' has none");
    }
  }

  private static String refusal(String method, Projection projection) {
    if (projection.type().equals(method)) {
      return "the model is already compressed by " + method + ": operate on the original";
    }
    return method
        + " takes a model whose projection is 'linear', not '"
        + projection.type()
        + "': "
        + advice(projection);
  }

  private static String advice(Projection projection) {
    if (projection instanceof Roundable wide && wide.bits() > 8) {
      String before =
          projection instanceof SparseLinear.Config
              ? "make it dense first, by the method dense"
              : "start from the model as it was before";
      return before + "; weight-int8 takes it as it is";
    }
    return projection.folded() instanceof Linear.Config
        ? "fold it first"
        : "start from the model as it was before";
  }

  /** All modules of a class by their dotted names, in the model's order. */
  public static <T extends Module> Map<String, T> all(Model model, Class<T> kind) {
    Map<String, T> all = new LinkedHashMap<>();
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (kind.isInstance(module)) {
                all.put(name, kind.cast(module));
              }
            });
    return all;
  }

  /** Works on one after another, and tells how far it is. */
  public static <T> void each(
      Map<String, T> layers, DoubleConsumer progress, BiConsumer<String, T> work) {
    int[] done = new int[1];
    layers.forEach(
        (name, layer) -> {
          work.accept(name, layer);
          progress.accept((double) ++done[0] / layers.size());
        });
  }

  /**
   * The plain linear layers of a model that others take the place of, by their dotted names.
   *
   * @param taking what takes their place, in a model that was {@link #rebuilt}
   * @throws IllegalArgumentException if the model has another module in such a place
   */
  public static Map<String, Linear> linears(Model model, Map<String, ?> taking) {
    Map<String, Module> modules = model.modules();
    Map<String, Linear> linears = new LinkedHashMap<>();
    taking.keySet().forEach(name -> linears.put(name, linear(name, modules.get(name))));
    return linears;
  }

  private static Linear linear(String name, Module module) {
    if (module instanceof Linear linear) {
      return linear;
    }
    throw new IllegalArgumentException(
        "the model is not what its configuration builds: instead of the linear layer "
            + name
            + " it has "
            + (module == null ? "none" : "a " + module.getClass().getSimpleName()));
  }

  /**
   * A copy of a model of plain layers whose linear layers, and table of words, keep their weights
   * in few bits, rounded without a look at data.
   *
   * @param projection what makes layers that are {@link QuantizedWeight}s
   * @throws IllegalArgumentException if the model's linear layers are not plain, or it is not what
   *     its configuration builds, or holds numbers that are not finite
   */
  public static Model rounded(Model model, Projection projection) {
    expectPlain(projection.type(), model.config());
    Map<String, Module> originals = model.modules();
    return filled(
        model,
        withProjection(model.config(), plain -> projection),
        rounded ->
            rounded
                .modules()
                .forEach(
                    (name, module) -> {
                      if (module instanceof QuantizedWeight layer) {
                        round(name, layer, originals.get(name));
                      }
                    }));
  }

  /**
   * A copy of a model whose layers hold fewer numbers than plain ones, in 8 bits; its table of
   * words is rounded without a look at data.
   *
   * @param wide the model's projection
   * @throws IllegalArgumentException if they have 8 bits already, or a number is not finite
   */
  public static Model narrowed(String method, Model model, Roundable wide) {
    if (wide.bits() == 8) {
      throw new IllegalArgumentException(
          "the layers of the projection '"
              + wide.type()
              + "' have 8 bits already: use "
              + method
              + " on the model before that");
    }
    Map<String, Module> originals = model.modules();
    return filled(
        model,
        withProjection(model.config(), projection -> wide.withBits(8)),
        made ->
            made.modules()
                .forEach(
                    (name, module) -> {
                      if (module instanceof Roundable.Rounded layer) {
                        layer.fill(originals.get(name));
                      } else if (module instanceof QuantizedWeight table) {
                        round(name, table, originals.get(name));
                      }
                    }));
  }

  /** Rounds the matrix of a table or plain linear layer into another layer. */
  static void round(String name, QuantizedWeight layer, Module original) {
    Tensor weight =
        original instanceof Embedding table
            ? table.weight().value()
            : linear(name, original).weight().value();
    try {
      layer.quantize(weight.detach());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the layer " + name + ": " + e.getMessage(), e);
    }
  }
}
