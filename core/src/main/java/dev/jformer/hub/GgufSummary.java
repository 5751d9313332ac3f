package dev.jformer.hub;

import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufTensor;
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
 * @param bytesInMemory the bytes that the weights take when the model is loaded, as float32
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
      long parameters = 0;
      long bytes = 0;
      for (GgufTensor tensor : file.tensors().values()) {
        types.merge(tensor.type().name(), 1, Integer::sum);
        parameters += tensor.shape().elements();
        bytes += tensor.bytes();
      }
      String architecture = metadata.text(Gguf.ARCHITECTURE, "");
      String words = metadata.text(TOKENIZER + "pre", "");
      return new GgufSummary(
          architecture,
          metadata.text("general.name", ""),
          types,
          parameters,
          bytes,
          parameters * Float.BYTES,
          metadata.text(TOKENIZER + "model", "") + (words.isEmpty() ? "" : ", " + words),
          metadata.strings(TOKENIZER + "tokens").size(),
          metadata.has("tokenizer.chat_template"),
          unsupported(file, architecture));
    }
  }

  private static String unsupported(GgufFile file, String architecture) {
    try {
      GgufArchitecture found = Gguf.architecture(architecture);
      HuggingFace.check(file.path(), found.config(file));
      return "";
    } catch (ConfigException | FormatException | IllegalArgumentException e) {
      return e.getMessage();
    }
  }
}
