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

/** Creates copies of models with another configuration or other layers, for compressions. */
public final class ModelRebuilder {
  private ModelRebuilder() {}

  /**
   * Builds a model of another configuration, in inference mode, and copies all weights that both
   * have in common. It does not change the state of the random number generator.
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
   * Builds a model like {@link #rebuilt} and fills in the other weights. If that fails, the model
   * is released.
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

  /** Changes the projections of a configuration. */
  public static Model.Config withProjection(Model.Config config, UnaryOperator<Projection> change) {
    return Configs.replace(config, Projection.class, change);
  }

  /** The projection of a model, the last one of several; null if it has none. */
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
   * Checks that the linear layers of a model are plain.
   *
   * @param method the method's type, which is also that of its projection
   * @throws IllegalArgumentException if the model has no projections, or some that are not plain
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
              + " needs a model whose linear layers are built by a projection: '"
              + config.type()
              + "' has none");
    }
  }

  private static String refusal(String method, Projection projection) {
    if (projection.type().equals(method)) {
      return "the model is already compressed by " + method + ": start from the original";
    }
    return method
        + " needs a model whose projection is 'linear', not '"
        + projection.type()
        + "': "
        + advice(projection);
  }

  private static String advice(Projection projection) {
    if (projection instanceof Roundable wide && wide.bits() > 8) {
      String before =
          projection instanceof SparseLinear.Config
              ? "make it dense first, with the method dense"
              : "start from the original model";
      return before + "; weight-int8 works on it directly";
    }
    return projection.folded() instanceof Linear.Config
        ? "fold it first"
        : "start from the original model";
  }

  /**
   * Creates a copy of a model with layers of a projection in place of its plain linear ones.
   *
   * @param method the method's type, which is also that of its projection
   * @param kind a class or interface of the layers that the projection builds
   * @param fill fills the new layers, which it gets by their names
   * @throws IllegalArgumentException if the model's linear layers are not plain
   */
  public static <T> Model replaced(
      String method,
      Model model,
      Projection projection,
      Class<T> kind,
      Consumer<Map<String, T>> fill) {
    expectPlain(method, model.config());
    return filled(
        model,
        withProjection(model.config(), plain -> projection),
        made -> fill.accept(all(made, kind)));
  }

  /** All modules of a class or interface by their dotted names, in the model's order. */
  public static <T> Map<String, T> all(Model model, Class<T> kind) {
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

  /** Processes layers one after another and reports progress. */
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
   * The plain linear layers of a model that other layers replace, by their dotted names.
   *
   * @param taking the layers that replace them, in a model that was {@link #rebuilt}
   * @throws IllegalArgumentException if the model has another module of such a name
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
        "the model does not match its configuration: instead of the linear layer "
            + name
            + " it has "
            + (module == null ? "none" : "a " + module.getClass().getSimpleName()));
  }

  /**
   * Creates a copy of a model whose linear layers and token embedding store rounded weights; it
   * needs no data.
   *
   * @param projection builds layers that are {@link QuantizedWeight}s
   * @throws IllegalArgumentException if the model's linear layers are not plain, it does not match
   *     its configuration, or it holds numbers that are not finite
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
   * Creates a copy of a model with sparse or factorized layers, whose numbers are rounded to 8
   * bits, and so is its token embedding; it needs no data.
   *
   * @param wide the model's projection
   * @throws IllegalArgumentException if the layers have 8 bits already, or a number is not finite
   */
  public static Model narrowed(String method, Model model, Roundable wide) {
    if (wide.bits() == 8) {
      throw new IllegalArgumentException(
          "the layers of the projection '"
              + wide.type()
              + "' have 8 bits already: use "
              + method
              + " on the model before it was rounded");
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

  /** Rounds the matrix of an embedding or plain linear layer into another layer. */
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
