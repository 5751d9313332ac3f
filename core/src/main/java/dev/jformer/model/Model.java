package dev.jformer.model;

import dev.jformer.config.Part;
import dev.jformer.config.TypeKey;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A complete model: the root of a module tree, with the configuration that rebuilds it. */
public abstract class Model extends Module {
  private static final long MILLION = 1_000_000;

  /** Configuration of a model; the JSON field {@code model} names its family. */
  @TypeKey("model")
  public interface Config extends Part {
    /** Builds a model with random weights. */
    Model build();

    /**
     * This configuration in the shape of a trained model of another family whose weights models of
     * this one can begin with; empty, unless overridden, if there are none.
     *
     * @throws IllegalArgumentException if the trained model is of such a family, but does not suit
     */
    default Optional<? extends Config> beginningWith(Config trained) {
      return Optional.empty();
    }

    /** The family with its article, for messages: {@code an encoder}. */
    default String noun() {
      return ("aeio".indexOf(type().charAt(0)) < 0 ? "a " : "an ") + type();
    }
  }

  /** The configuration from which {@link Config#build} builds a model of the same shape. */
  public abstract Config config();

  /**
   * Copies the weights of another model that have the same name and shape in both; weights that it
   * does not have are copied from those that {@link #origin} names.
   */
  public final void copyFrom(Model other) {
    Map<String, Parameter> known = other.parameters();
    parameters()
        .forEach(
            (name, parameter) -> {
              Parameter source = known.getOrDefault(name, known.get(origin(name)));
              if (source != null && parameter.accepts(source.value().shape())) {
                parameter.copyFrom(source.value().detach());
              }
            });
  }

  /**
   * The name of the weight of a model of another family that a weight of this one begins with; the
   * same name unless overridden. See {@link Config#beginningWith}.
   */
  protected String origin(String name) {
    return name;
  }

  /** The most important sizes in words, for {@link #toString}; empty for none. */
  protected String details() {
    return "";
  }

  /**
   * Describes the model in a line, for example {@code causal-lm, 4 layers, width 256, vocabulary
   * 2048, 3.7 M parameters}.
   */
  @Override
  public final String toString() {
    long count = parameterCount();
    String parameters =
        count < MILLION / 10
            ? String.format(Locale.ROOT, "%,d parameters", count)
            : String.format(Locale.ROOT, "%.1f M parameters", (double) count / MILLION);
    String details = details().isEmpty() ? "" : details() + ", ";
    return config().type() + ", " + details + parameters;
  }
}
