package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufTensor;
import dev.jformer.io.gguf.GgufType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a GGUF file holds, without loading its model.
 *
 * @param architecture empty if the file does not say
 * @param name the model's name, empty if the file does not say
 * @param types the number of tensors by type
 * @param parameters the number of values in all tensors
 * @param bytes the bytes of all tensors in the file
 * @param bytesInMemory the bytes that the weights take when the model is loaded
 * @param bits the bits of a value in memory by type, without scales; matrices that are joined with
 *     others may take 8 instead of 4
 * @param tokenizer the kind of tokenizer and how it splits words; empty if there is none
 * @param tokens the size of its vocabulary
 * @param chatTemplate whether there is a template for chats
 * @param unsupported why the model cannot be loaded; empty if it can
 */
public record GgufSummary(
    String architecture,
    String name,
    Map<String, Integer> types,
    long parameters,
    long bytes,
    long bytesInMemory,
    Map<String, Integer> bits,
    String tokenizer,
    int tokens,
    boolean chatTemplate,
    String unsupported) {
  private static final String TOKENIZER = "tokenizer.ggml.";

  /**
   * Reads the header of a file.
   *
   * @throws FormatException if it is not a sound GGUF file of supported element types
   */
  public static GgufSummary read(Path path) throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata metadata = file.metadata();
      Map<String, Integer> types = new LinkedHashMap<>();
      Map<String, Integer> bits = new LinkedHashMap<>();
      long parameters = 0;
      long bytes = 0;
      for (GgufTensor tensor : file.tensors().values()) {
        GgufType type = tensor.type();
        types.merge(type.name(), 1, Integer::sum);
        bits.put(type.name(), type.isQuantized() ? type.tableBits() : Float.SIZE);
        parameters += tensor.shape().elements();
        bytes += tensor.bytes();
      }
      String architecture = metadata.text(Gguf.ARCHITECTURE, "");
      String words = metadata.text(TOKENIZER + "pre", "");
      String unsupported = "";
      long inMemory = parameters * Float.BYTES;
      try {
        inMemory = bytesInMemory(file, architecture);
      } catch (ConfigException | FormatException | IllegalArgumentException e) {
        unsupported = e.getMessage();
      }
      return new GgufSummary(
          architecture,
          metadata.text("general.name", ""),
          types,
          parameters,
          bytes,
          inMemory,
          bits,
          metadata.text(TOKENIZER + "model", "") + (words.isEmpty() ? "" : ", " + words),
          metadata.strings(TOKENIZER + "tokens").size(),
          metadata.has("tokenizer.chat_template"),
          unsupported);
    }
  }

  private static long bytesInMemory(GgufFile file, String architecture) {
    GgufArchitecture found = Gguf.architecture(architecture);
    ObjectNode config = found.config(file);
    return HuggingFace.bytes(file.path(), config, new GgufWeights(file, found, config));
  }
}
