package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufTensor;
import dev.jformer.io.gguf.GgufWriter;

/**
 * How GGUF files hold the models of a Hugging Face family: the same configuration under other keys,
 * and the same weights under other names. With these translated, the {@link Family} loads and saves
 * the model.
 */
interface GgufArchitecture {
  /** The tensor of the tokens' embeddings. */
  String EMBEDDING = "token_embd.weight";

  /** The {@code general.architecture} of its files. */
  String name();

  /** The configuration as Hugging Face's {@code config.json} has it. */
  ObjectNode config(GgufFile file);

  /**
   * Adds a configuration of Hugging Face's to a file.
   *
   * @throws ConfigException if files of this architecture cannot hold it
   */
  void write(JsonNode config, GgufWriter out);

  /** The names of tensors. */
  GgufNames names();

  /** Whether models of a {@code model_type} of Hugging Face's are saved in it. */
  default boolean holds(String modelType) {
    return modelType.equals(name());
  }

  /**
   * The order in which a file holds the values of a tensor of Hugging Face's.
   *
   * @param config as {@link #config} makes it
   * @param name of a tensor in the GGUF file
   */
  default StoredOrder order(JsonNode config, String name) {
    return StoredOrder.SAME;
  }

  /**
   * The number of rows of the token embedding: not all files have the key.
   *
   * @throws FormatException if the file has no such matrix
   */
  static long vocabulary(GgufFile file) {
    GgufTensor embedding = file.tensors().get(EMBEDDING);
    if (embedding == null || embedding.shape().rank() != 2) {
      throw new FormatException(
          file.path()
              + ": the tensor "
              + EMBEDDING
              + (embedding == null ? " is missing" : " is " + embedding.shape())
              + ": expected a matrix");
    }
    return embedding.shape().size(0);
  }
}
