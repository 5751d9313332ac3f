package dev.jformer.compress;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.QuantizedWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes of a model of plain linear layers the same with layers that keep their weights in few bits.
 */
final class WeightExchange {
  private WeightExchange() {}

  /**
   * A copy of a model, in inference, whose linear layers are {@code target}'s.
   *
   * @throws IllegalArgumentException if the model's linear layers are not plain, or it is not what
   *     its configuration builds
   */
  static Model of(Model model, Projection target) {
    check(model, target);
    Model.Config config = Configs.replace(model.config(), Projection.class, plain -> target);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      Model made = config.build();
      Random.restore(random); // the weights just drawn are of no account
      try {
        copy(model, made);
        fill(model, made);
        made.train(false);
        return made;
      } catch (RuntimeException e) {
        made.close();
        throw e;
      }
    }
  }

  private static void check(Model model, Projection target) {
    Set<String> others = new TreeSet<>();
    boolean[] any = new boolean[1];
    Configs.replace(
        model.config(),
        Projection.class,
        projection -> {
          any[0] = true;
          if (!(projection instanceof Linear.Config)) {
            others.add(projection.type());
          }
          return projection;
        });
    if (!any[0]) {
      throw new IllegalArgumentException(
          target.type()
              + " does not suit a "
              + model.config().type()
              + ": it has no linear layers that can be exchanged");
    }
    if (others.contains(target.type())) {
      throw new IllegalArgumentException(
          "the model is already compressed by " + target.type() + ": operate on the original");
    }
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          target.type()
              + " needs plain linear layers, and the model's are of the kind "
              + String.join(", ", others)
              + ": fold what served training only, and do not apply one quantization to the result"
              + " of another");
    }
  }

  /** Copies what is kept as it is. */
  private static void copy(Model from, Model to) {
    Set<Parameter> quantized = new HashSet<>();
    to.modules()
        .values()
        .forEach(
            module -> {
              if (module instanceof QuantizedWeight) {
                module.parameters().forEach((n, p) -> addUnlessBias(quantized, n, p));
              }
            });
    Map<String, Parameter> known = from.parameters();
    to.parameters()
        .forEach(
            (name, parameter) -> {
              if (!quantized.contains(parameter)) {
                parameter.copyFrom(
                    expect(known.get(name), name, parameter.value()).value().detach());
              }
            });
  }

  private static void addUnlessBias(Set<Parameter> set, String name, Parameter parameter) {
    if (!name.equals("bias")) {
      set.add(parameter);
    }
  }

  private static Parameter expect(Parameter source, String name, Tensor target) {
    if (source == null || !source.value().shape().equals(target.shape())) {
      throw new IllegalArgumentException(
          "the model is not what its configuration builds: "
              + name
              + " should be "
              + target.shape()
              + " and is "
              + (source == null ? "not there" : source.value().shape()));
    }
    return source;
  }

  private static void fill(Model from, Model to) {
    Map<String, Module> known = from.modules();
    Set<Parameter> done = new HashSet<>();
    to.modules()
        .forEach(
            (name, module) -> {
              if (module instanceof QuantizedWeight layer
                  && done.add(module.parameters().values().iterator().next())) {
                try {
                  layer.quantize(weight(name, known.get(name)));
                } catch (IllegalArgumentException e) {
                  throw new IllegalArgumentException(
                      "the layer " + name + ": " + e.getMessage(), e);
                }
              }
            });
  }

  private static Tensor weight(String name, Module plain) {
    if (plain instanceof Linear linear) {
      return linear.weight().value().detach();
    }
    if (plain instanceof Embedding table) {
      return table.weight().value().detach();
    }
    throw new IllegalArgumentException(
        "expected a plain linear layer or table there, and found "
            + (plain == null ? "nothing" : plain.getClass().getSimpleName()));
  }
}
