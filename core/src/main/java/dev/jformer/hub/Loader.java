package dev.jformer.hub;

import dev.jformer.io.FormatException;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Builds a model and fills it with stored weights. Names, types and shapes are compared with the
 * configuration before any memory is allocated.
 *
 * @param folder the folder or file of the weights, for messages
 */
record Loader(Path folder, StoredWeights weights) {
  /**
   * Loads a model.
   *
   * @param config of the model to build, which may hold its matrices in another form
   * @param blueprint of the same model with matrices of floats
   * @param maps the stored weights of each parameter
   * @param ignored whether a stored tensor may remain unused
   * @throws FormatException if the weights do not match the configuration
   */
  Model load(
      Model.Config config, Blueprint blueprint, List<WeightMap> maps, Predicate<String> ignored) {
    TreeSet<String> unused = new TreeSet<>(weights.names());
    for (WeightMap map : maps) {
      check(map, blueprint.parameters().get(map.ours()));
      map.theirs().forEach(unused::remove);
    }
    unused.removeIf(ignored);
    if (!unused.isEmpty()) {
      throw new FormatException(
          folder
              + ": the configuration has no parameter for the tensor "
              + FormatException.oneLine(weights.spelled(unused.first()))
              + (unused.size() > 1 ? " and " + (unused.size() - 1) + " more" : ""));
    }
    Model model = config.build();
    try {
      fill(model, maps);
      check(model);
      model.train(false);
      return model;
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private void check(Model model) {
    try {
      model.checkParameters();
    } catch (IllegalStateException e) {
      throw new FormatException(folder + ": " + e.getMessage(), e);
    }
  }

  private void check(WeightMap map, Blueprint.Entry ours) {
    List<Shape> shapes = map.shapes(ours.shape());
    for (int i = 0; i < shapes.size(); i++) {
      String name = map.theirs().get(i);
      if (!weights.names().contains(name)) {
        throw new FormatException(folder + ": the tensor " + weights.spelled(name) + " is missing");
      }
      if (!Parameter.accepts(shapes.get(i), ours.ragged(), weights.shape(name))) {
        throw new FormatException(
            folder
                + ": the tensor "
                + weights.spelled(name)
                + " is "
                + weights.shape(name)
                + ", but the configuration makes it "
                + shapes.get(i));
      }
      DType stored = weights.dtype(name);
      boolean same = ours.dtype().isFloating() ? stored.isFloating() : stored == ours.dtype();
      if (!same) {
        throw new FormatException(
            folder
                + ": the tensor "
                + weights.spelled(name)
                + " is of type "
                + spelled(stored)
                + ", but the configuration makes it "
                + (ours.dtype().isFloating() ? "floating-point" : spelled(ours.dtype())));
      }
    }
  }

  private static String spelled(DType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** Whether a stored tensor is the parameter as it is. */
  private boolean isDirect(WeightMap map, Parameter parameter) {
    return map.theirs().size() == 1
        && map.order() == StoredOrder.SAME
        && parameter.value().isContiguous()
        && weights.shape(map.theirs().get(0)).equals(parameter.value().shape());
  }

  private void fill(Model model, List<WeightMap> maps) {
    Map<String, Parameter> parameters = model.parameters();
    Map<String, Module> modules = model.modules();
    FewBits fewBits = new FewBits(weights);
    for (WeightMap map : maps) {
      Parameter parameter = parameters.get(map.ours());
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Optional<BlockWeight> layer = FewBits.layer(modules, map.ours());
        if (layer.isPresent() && weights.dtype(map.theirs().get(0)).isFloating()) {
          fewBits.fill(layer.get(), map);
        } else if (isDirect(map, parameter)) {
          weights.copyTo(map.theirs().get(0), parameter.value());
        } else {
          parameter.copyFrom(map.toOurs(weights::tensor));
        }
      }
    }
  }
}
