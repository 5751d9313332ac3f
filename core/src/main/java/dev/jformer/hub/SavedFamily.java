package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.Model;
import java.util.List;
import java.util.Map;

/**
 * A family of encoders or of image models that can also be saved: the same list of weights serves
 * both directions.
 *
 * @param <C> our configuration
 */
interface SavedFamily<C extends Model.Config> extends Family<C> {
  /** The class of our configurations. */
  Class<C> ours();

  /** The name of the family, for messages. */
  String title();

  /**
   * Converts our configuration to theirs as far as it can be. What the family cannot express is
   * found when the result is read again.
   *
   * @param labels the names of the classes; empty if there are none
   * @throws dev.jformer.config.ConfigException if a part is not of the family's kind
   */
  ObjectNode write(C ours, List<String> labels);

  /**
   * The configuration in a form in which those of equal models are equal: what matters in training
   * only, or follows from other fields, has its default.
   */
  C plain(C ours);

  /** The pipeline of transformers that uses the model. */
  String pipeline(C ours);

  /** Other files that transformers needs, by name. */
  Map<String, ObjectNode> companions(Model model);
}
