package dev.jformer.model;

import dev.jformer.config.Part;
import dev.jformer.config.TypeKey;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import java.util.Map;

/** A whole model: the root of a module tree, which knows the configuration that rebuilds it. */
public abstract class Model extends Module {
  /** Configuration of a model; its family stands in the field {@code model}. */
  @TypeKey("model")
  public interface Config extends Part {
    /** A model with freshly drawn weights. */
    Model build();
  }

  /** The configuration that {@link Config#build} makes a model of this very shape from. */
  public abstract Config config();

  /**
   * Takes over the weights of another model: all that both have under one name and in one shape.
   */
  public final void copyFrom(Model other) {
    Map<String, Parameter> known = other.parameters();
    parameters()
        .forEach(
            (name, parameter) -> {
              Parameter source = known.get(name);
              if (source != null && parameter.accepts(source.value().shape())) {
                parameter.copyFrom(source.value().detach());
              }
            });
  }
}
