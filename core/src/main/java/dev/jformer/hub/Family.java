package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * How a family of Hugging Face models corresponds to ours: the configuration, and a list of
 * weights.
 *
 * @param <C> our configuration
 */
interface Family<C extends Model.Config> {
  /** A family whose models we also write: the same list of weights serves both ways. */
  interface Written extends Family<CausalLm.Config> {
    /** Our configuration for theirs. */
    CausalLm.Config read(JsonNode theirs);

    @Override
    default CausalLm.Config read(JsonNode theirs, Path folder, Set<String> names) {
      return read(theirs);
    }

    /**
     * Their configuration for ours, or an exception that says why there is none.
     *
     * @param blueprint of {@code ours}
     */
    ObjectNode write(CausalLm.Config ours, Blueprint blueprint);
  }

  /** The {@code model_type} of its configurations. */
  String modelType();

  /**
   * Our configuration for theirs.
   *
   * @param folder where it lies, with a tokenizer perhaps
   * @param names of the weights that lie there
   */
  C read(JsonNode theirs, Path folder, Set<String> names);

  /** All weights of a model. */
  List<WeightMap> weights(C config);

  /** How a file with these names spells one of {@link #weights}: some leave a prefix out. */
  default String spelled(String name, Set<String> names) {
    return name;
  }

  /** Whether a tensor of theirs may be ignored: some files hold constants that are no weights. */
  default boolean isIgnored(String name) {
    return false;
  }

  /** The name without a prefix that a file leaves out. */
  static String without(String prefix, String name) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }
}
