package dev.jformer.hub;

import dev.jformer.config.ConfigException;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.TensorException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The types and shapes of the parameters that a configuration describes. They are found without
 * allocating memory, because an untrusted configuration may describe more than the machine has.
 *
 * @param parameters by name, in the model's order
 */
record Blueprint(Map<String, Entry> parameters) {
  /**
   * The type and shape of a parameter.
   *
   * @param ragged whether its last dimension may differ; see {@link Parameter#ragged}
   */
  record Entry(DType dtype, Shape shape, boolean ragged) {
    boolean accepts(Shape other) {
      return Parameter.accepts(shape, ragged, other);
    }
  }

  /** Parts may also create some tensors that are not parameters. */
  private static final int SPARE = 1000;

  private static final int PER_PARAMETER = 16;

  /**
   * Finds the parameters of a model.
   *
   * @param expected about how many parameters it has; a model with far more is refused
   * @throws ConfigException if it cannot be built
   * @throws IllegalArgumentException if its parts do not fit together
   */
  static Blueprint of(Model.Config config, int expected) {
    long most = SPARE + (long) PER_PARAMETER * expected;
    try (Scope scope = Scope.open();
        Mode mode = MetaMode.open(most);
        Model model = config.build()) {
      Map<String, Entry> parameters = new LinkedHashMap<>();
      model
          .parameters()
          .forEach(
              (name, p) ->
                  parameters.put(
                      name, new Entry(p.value().dtype(), p.value().shape(), p.isRagged())));
      return new Blueprint(Collections.unmodifiableMap(parameters));
    } catch (TensorException
        | ArithmeticException
        | NegativeArraySizeException
        | OutOfMemoryError e) {
      throw new ConfigException(
          "the configuration does not describe a model of about "
              + expected
              + " weights (is its number of layers right?): "
              + e.getMessage(),
          e);
    }
  }

  /** The shape of an existing parameter. */
  Shape shape(String name) {
    return parameters.get(name).shape();
  }

  /**
   * Checks that a model has exactly these parameters, so that it can be loaded again.
   *
   * @throws ConfigException if it does not match its configuration
   */
  void check(Model model) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> shapes.put(name, p.value().shape()));
    parameters.forEach(
        (name, entry) -> {
          Shape shape = shapes.remove(name);
          if (shape == null || !entry.accepts(shape)) {
            throw new ConfigException(
                "this model cannot be saved, because it does not match its configuration: the parameter "
                    + name
                    + " should be "
                    + entry.shape()
                    + " and is "
                    + (shape == null ? "not there" : shape));
          }
        });
    if (!shapes.isEmpty()) {
      throw new ConfigException(
          "this model cannot be saved, because it does not match its configuration, which has no parameter "
              + shapes.keySet().iterator().next());
    }
  }
}
