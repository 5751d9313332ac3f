package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.CausalLm;
import java.util.List;

/**
 * How a family of Hugging Face models corresponds to ours: the configuration both ways, and one
 * list of weights that serves both ways.
 */
interface Family {
  /** The {@code model_type} of its configurations. */
  String modelType();

  /** Our configuration for theirs. */
  CausalLm.Config read(JsonNode theirs);

  /**
   * Their configuration for ours, or an exception that says why there is none.
   *
   * @param blueprint of {@code ours}
   */
  ObjectNode write(CausalLm.Config ours, Blueprint blueprint);

  /** All weights of a model. */
  List<WeightMap> weights(CausalLm.Config config);

  /** Whether a tensor of theirs may be ignored: some files hold constants that are no weights. */
  default boolean isIgnored(String name) {
    return false;
  }
}
