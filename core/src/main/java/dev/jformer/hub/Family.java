package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A family of Hugging Face models and how it maps to ours: the configuration, and a list of
 * weights.
 *
 * @param <C> our configuration
 */
interface Family<C extends Model.Config> {
  /** A family that can also be saved: the same list of weights serves both directions. */
  interface Written extends Family<CausalLm.Config> {
    /** Converts their configuration to ours. */
    CausalLm.Config read(JsonNode theirs);

    @Override
    default CausalLm.Config read(JsonNode theirs, Path folder, Set<String> names) {
      return read(theirs);
    }

    /** The name of the family, for messages. */
    String title();

    /**
     * Converts our configuration to theirs as far as it can be. What the family cannot express is
     * found when the result is read again; see {@link Mismatch}.
     *
     * @throws dev.jformer.config.ConfigException if a part is not of the family's kind
     */
    ObjectNode write(CausalLm.Config ours);
  }

  /** The {@code model_type} of its configurations. */
  String modelType();

  /**
   * Converts their configuration to ours.
   *
   * @param folder the model's folder, which may hold a tokenizer
   * @param names of the weights in the folder
   */
  C read(JsonNode theirs, Path folder, Set<String> names);

  /** All weights of a model. */
  List<WeightMap> weights(C config);

  /** The name of one of {@link #weights} in a file with these names: some files omit a prefix. */
  default String spelled(String name, Set<String> names) {
    return name;
  }

  /** Sets what a loaded model takes from other files in its folder. */
  default void complete(Model model, Path folder) throws IOException {}

  /** Whether a tensor of theirs may be ignored: some files hold constants that are not weights. */
  default boolean isIgnored(String name) {
    return false;
  }

  /** The name without a prefix that a file leaves out. */
  static String without(String prefix, String name) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }
}
